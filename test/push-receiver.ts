/** A receiver of pushes on the loopback interface, for tests. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedPush {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface PushReceiver extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string
  readonly received: readonly ReceivedPush[]
  /** Resolves once `count` pushes have come; rejects when that takes too long. */
  arrived(count: number): Promise<void>
}

/** How a receiver answers its next push: by a status, or by doing what it likes. */
export type Answer = number | ((response: ServerResponse) => void)

/** Longest that a test waits for a push, in milliseconds. */
const patienceMs = 20_000

/** Listens on a free port, and answers each push with the next of `answers`, and 200 when there is none left. */
export async function startReceiver(answers: Answer[] = []): Promise<PushReceiver> {
  const received: ReceivedPush[] = []
  let waiting: { readonly count: number; readonly resolve: () => void }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      received.push({ method: request.method, path: request.url, headers: request.headers, body })
      const answer = answers.shift() ?? 200
      if (typeof answer === 'number') response.writeHead(answer).end()
      else answer(response)
      waiting = waiting.filter(({ count, resolve }) => {
        if (received.length < count) return true
        resolve()
        return false
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    arrived: (count) =>
      new Promise((resolve, reject) => {
        if (received.length >= count) return resolve()
        const complaint = new Error(`${count} pushes did not come within ${patienceMs} ms`)
        const timer = setTimeout(() => reject(complaint), patienceMs)
        waiting.push({
          count,
          resolve: () => {
            clearTimeout(timer)
            resolve()
          },
        })
      }),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
