/** Receives one redirect on this machine (RFC 8252 §7.3, §8.3). */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { HallpassError } from '../protocol/errors.ts'
import { type LoopbackMessage, loopbackPage, loopbackPageHeaders } from './loopback-page.ts'

/** A place on this machine that a browser can be sent to. */
export interface LoopbackReceiver<Accepted> {
  /** `http://127.0.0.1:PORT/PATH`; the path is random, so that only who was told it can deliver a payload there. */
  readonly authRedirect: string
  /** Settles with what `accept` made of the first address that held a payload, once the browser has its page. */
  readonly accepted: Promise<Accepted>
  /** Stops listening: at once while no browser has come, and after the lingering when one has. */
  close(): void
}

/**
 * Listens on 127.0.0.1, on a port that the system chooses. `accept` is called once, with the first address under the
 * receiver's own path that holds a payload; a browser that comes again gets the same page, for `lingerMs`
 * milliseconds (default 5 000), which keep no process alive. All else is answered with an error and changes nothing.
 */
export async function receiveRedirect<Accepted>(
  accept: (address: string) => Promise<Accepted>,
  { lingerMs = 5_000 }: { readonly lingerMs?: number } = {},
): Promise<LoopbackReceiver<Accepted>> {
  // Another page in the same browser, or another user of this machine, can reach the port: 128 random bits in the path
  // keep them from offering a payload, and the nonce in the payload keeps out what would still come through.
  const path = `/${randomBytes(16).toString('hex')}`
  const accepted = Promise.withResolvers<Accepted>()
  let outcome: Promise<Accepted> | undefined

  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    const address = addressOf(request, portOf(server))
    if (address?.pathname !== path) return answer(response, address ? 404 : 421, messages.elsewhere)
    if (request.method !== 'GET') return answer(response, 405, messages.elsewhere)
    if (!address.searchParams.has('payload')) return answer(response, 400, messages.withoutPayload)
    outcome ??= accept(address.href)
    void deliver(outcome, response).then(() => settle(outcome))
  })
  // The listening server keeps the process alive while it waits; a connection that a browser holds open must not.
  server.on('connection', (socket) => socket.unref())
  const settle = (result: Promise<Accepted> | undefined): void => {
    if (result) accepted.resolve(result)
    server.unref()
    setTimeout(() => close(server), lingerMs).unref()
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Whoever asks for `accepted` later still gets the failure; until then it is not an unhandled one.
  accepted.promise.catch(() => {})
  return {
    authRedirect: `http://127.0.0.1:${portOf(server)}${path}`,
    accepted: accepted.promise,
    close: () => {
      if (!outcome) close(server)
    },
  }
}

const messages = {
  accepted: {
    heading: 'You can close this window',
    lines: ['The app has its key, and goes on where you left it.'],
  },
  elsewhere: {
    heading: 'Nothing here',
    lines: ['This address belongs to an app that waits for an approval.'],
  },
  withoutPayload: {
    heading: 'No payload in this address',
    lines: ['Go back to the page where you approve the app, and approve it there.'],
  },
} as const satisfies Record<string, LoopbackMessage>

/** Answers with what came of the redirect, and waits until the browser has the page or is gone. */
async function deliver(outcome: Promise<unknown>, response: ServerResponse): Promise<void> {
  const gone = once(response, 'close')
  await outcome.then(
    () => answer(response, 200, messages.accepted),
    (error: unknown) => answer(response, 400, failure(error)),
  )
  await gone
}

function failure(error: unknown): LoopbackMessage {
  const heading = 'The app did not get its key'
  return error instanceof HallpassError
    ? { heading, lines: [sentence(error.message), sentence(error.remedy)] }
    : { heading, lines: ['Go back to the app: it says what went wrong.'] }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function answer(response: ServerResponse, status: number, message: LoopbackMessage): void {
  response.writeHead(status, { ...loopbackPageHeaders }).end(loopbackPage(message))
}

/** Undefined for a request that was meant for another host: a name that somebody pointed at this machine. */
function addressOf(request: IncomingMessage, port: number): URL | undefined {
  const host = request.headers.host
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) return undefined
  const address = `http://${host}${request.url ?? '/'}`
  return URL.canParse(address) ? new URL(address) : undefined
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function close(server: Server): void {
  server.close()
  server.closeAllConnections()
}
