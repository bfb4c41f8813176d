import type { LimitNode } from '../domain/limit-exchange.ts'
import { answeredWithin, connectToRedis, type RedisConnection } from './redis-connection.ts'
import { RedisPast } from './redis-past.ts'

/** How long Redis may take to answer, in milliseconds, before limits count as not shared. */
const patienceMs = 1000
/** How long one question for the next entry waits, in milliseconds. */
export const waitMs = 1000

/** Both connections, while they last. */
export class RedisLink {
  readonly node: LimitNode
  readonly past: RedisPast
  /** How far the node's clock is ahead of that of Redis, in milliseconds. */
  aheadMs = 0
  readonly #writer: RedisConnection
  readonly #reader: RedisConnection
  readonly #failed: Promise<never>
  readonly #fail: (cause: unknown) => void
  #closed = false

  private constructor(
    node: LimitNode,
    prefix: string,
    connections: readonly [RedisConnection, RedisConnection],
    failed: PromiseWithResolvers<never>,
  ) {
    this.node = node
    this.#writer = connections[0]
    this.#reader = connections[1]
    this.#failed = failed.promise
    this.#fail = failed.reject
    this.past = new RedisPast(prefix, (command) => this.ask(command))
  }

  static async open(url: string, prefix: string, node: LimitNode): Promise<RedisLink> {
    const failed = Promise.withResolvers<never>()
    // Whoever waits for something hears of it.
    failed.promise.catch(() => {})
    const writer = await connectToRedis(url, failed.reject)
    try {
      const reader = await connectToRedis(url, failed.reject)
      return new RedisLink(node, prefix, [writer, reader], failed)
    } catch (error) {
      destroy(writer)
      throw error
    }
  }

  /** Sends a command that is answered at once. One that is not, or fails, ends the connections. */
  async ask(command: string[]): Promise<unknown> {
    try {
      return await answeredWithin(patienceMs, Promise.race([this.#writer.sendCommand(command), this.#failed]))
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  /** The same on the connection that may wait for an entry. */
  read(command: string[]): Promise<unknown> {
    return answeredWithin(
      waitMs + patienceMs,
      Promise.race([this.#reader.sendCommand(command), this.#failed]),
    )
  }

  /** Clocks of nodes differ. All go by that of Redis, as near as half of the time that its answer takes. */
  async compareClocks(): Promise<void> {
    const before = this.node.now()
    const [seconds, micros] = (await this.ask(['TIME'])) as readonly [string, string]
    const middle = (before + this.node.now()) / 2
    this.aheadMs = middle - (Number(seconds) * 1000 + Number(micros) / 1000)
  }

  fail(cause: unknown): void {
    this.#fail(cause)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    destroy(this.#writer)
    destroy(this.#reader)
  }
}

function destroy(connection: RedisConnection): void {
  try {
    connection.destroy()
  } catch {
    // It was closed already.
  }
}
