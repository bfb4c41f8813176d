import type { Socket } from 'node:net'
import type { Client } from 'pg'

/** How long the other end may take to hear that a connection ends, in milliseconds. */
const patienceMs = 1000

/**
 * `pg`'s client, whose end takes a second at the most. By itself it waits until the server has closed its end too, for ever
 * where the network is gone.
 */
export function promptClient(Base: typeof Client): typeof Client {
  return class extends Base {
    override end(): Promise<void>
    override end(callback: (error: Error) => void): void
    override end(callback?: (error: Error) => void): Promise<void> | undefined {
      const { stream } = (this as unknown as { readonly connection: { readonly stream: Socket } }).connection
      const timer = setTimeout(() => stream.destroy(), patienceMs)
      this.once('end', () => clearTimeout(timer))
      if (!callback) return super.end()
      super.end(callback)
      return undefined
    }
  }
}
