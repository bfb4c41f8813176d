/** Receives what the site pushes. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Unmet } from './expect.ts'

export interface Push {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

/** Longest that a push may take to arrive, in milliseconds. */
const patienceMs = 15_000

export class PushReceiver {
  readonly #server: Server
  readonly #pushes: Push[] = []
  #heard: () => void = () => undefined
  /** Without a slash at the end. */
  readonly address: string

  private constructor(server: Server, address: string) {
    this.#server = server
    this.address = address
  }

  /** Listens at `target`, while `run` runs. A path that begins with /redirect answers with a redirect to /redirected. */
  static async listen<Result>(
    target: string,
    run: (receiver: PushReceiver) => Promise<Result>,
  ): Promise<Result> {
    const wanted = new URL(target)
    const server = createServer()
    const isHere = /^(localhost|127\.\d+\.\d+\.\d+)$/.test(wanted.hostname)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      const port = Number(wanted.port || 80)
      if (isHere) server.listen(port, wanted.hostname, resolve)
      else server.listen(port, resolve)
    })
    const { port } = server.address() as AddressInfo
    const receiver = new PushReceiver(server, `http://${wanted.hostname}:${port}`)
    receiver.#receive()
    try {
      return await run(receiver)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  /** The pushes to a path so far. */
  at(path: string): readonly Push[] {
    return this.#pushes.filter((push) => push.path === path)
  }

  /** Waits until a path has so many pushes; answers with them. */
  async wait(path: string, count = 1): Promise<readonly [Push, ...Push[]]> {
    const deadline = Date.now() + patienceMs
    for (;;) {
      const [first, ...others] = this.at(path)
      if (first !== undefined && others.length + 1 >= count) return [first, ...others]
      const left = deadline - Date.now()
      if (left <= 0) throw new Unmet(`nothing was pushed to ${path} within ${patienceMs / 1000} s`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#heard = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  #receive(): void {
    this.#server.on('request', async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      const path = request.url ?? ''
      const isRedirect = path.startsWith('/redirect/')
      response.writeHead(isRedirect ? 302 : 200, isRedirect ? { location: `${this.address}/redirected` } : {})
      response.end()
      const { method = '', headers } = request
      this.#pushes.push({ method, path, headers, text, body: objectOf(text) })
      this.#heard()
    })
  }
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
