/** Requests of `node:http`, and of frameworks on it, as web-standard ones. */
import type { IncomingMessage } from 'node:http'
import type { Arrival, BodyParameters } from './guard.ts'
import { parametersIn, restoreBody } from './parsed-body.ts'

export interface NodeArrivalOptions {
  /** What the framework has taken off the beginning of `incoming.url`. Default: nothing. */
  readonly mountPath?: string
  /** What the framework or the application made of the body; of no effect while the body is still to be read. */
  readonly parsedBody?: unknown
}

/**
 * The request, its body untouched: it is read, from the socket or out of `parsedBody`, only when somebody reads the body
 * of the web-standard request.
 */
export function nodeArrival(incoming: IncomingMessage, options: NodeArrivalOptions = {}): Arrival {
  const target = (options.mountPath ?? '') + originForm(incoming.url ?? '/')
  const rawPath = target.split('?', 1)[0] ?? ''
  const { stream, parameters, contentType } = bodyOf(incoming, options.parsedBody)
  const headers = headersOf(incoming)
  if (contentType !== undefined) headers.set('content-type', contentType)
  const url = new URL(originOf(incoming) + (target.startsWith('/') ? target : '/'))
  const request = webRequest(url, incoming.method ?? 'GET', headers, stream)
  const connection = { remoteAddress: incoming.socket.remoteAddress ?? null, requestTarget: target }
  return { request, connection, rawPath, body: parameters }
}

/** The request line may hold a whole address (RFC 9112 §3.2.2), of which the path and the query count here. */
function originForm(target: string): string {
  const [authority] = /^https?:\/\/[^/?#]*/i.exec(target) ?? []
  if (authority === undefined) return target
  const rest = target.slice(authority.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** A host that cannot be one is none: links lead to `localhost` then, where no base URL was configured. */
function originOf(incoming: IncomingMessage): string {
  const scheme = 'encrypted' in incoming.socket && incoming.socket.encrypted ? 'https' : 'http'
  const host = incoming.headers[':authority'] ?? incoming.headers.host
  const isHost = typeof host === 'string' && /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)
  const origin = `${scheme}://${host}`
  return isHost && URL.canParse(origin) ? origin : `${scheme}://localhost`
}

function headersOf({ headers: received }: IncomingMessage): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(received)) {
    if (value === undefined || name.startsWith(':')) continue
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one)
  }
  return headers
}

function webRequest(
  url: URL,
  method: string,
  headers: Headers,
  stream: ReadableStream<Uint8Array> | undefined,
): Request {
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers })
  const body = stream === undefined ? {} : { body: stream, duplex: 'half' as const }
  if (!/^(?:connect|trace|track)$/i.test(method)) return new Request(url, { method, headers, ...body })
  // The standard knows no request with these methods, and the decision must be about the one that was sent.
  return Object.defineProperty(new Request(url, { method: 'POST', headers, ...body }), 'method', {
    value: method,
  })
}

interface IncomingBody {
  readonly stream?: ReadableStream<Uint8Array>
  readonly parameters: BodyParameters | undefined
  /** What the stream holds, where that is not what the header says. */
  readonly contentType?: string
}

function bodyOf(incoming: IncomingMessage, parsed: unknown): IncomingBody {
  if (!hasBody(incoming)) return { parameters: undefined }
  // Some parsers leave an empty object for bodies that they leave alone, so what counts is the stream itself.
  const wasRead = incoming.readableDidRead || incoming.readableEnded
  if (!wasRead) return { stream: streamOf(incoming), parameters: 'unread' }
  if (parsed === undefined || parsed === null) return { stream: lostBody(), parameters: 'unread' }
  const contentType = incoming.headers['content-type'] ?? ''
  const isForm =
    typeof parsed === 'object' && !(parsed instanceof Uint8Array) && !/[/+]json/i.test(contentType)
  return {
    stream: streamOnce(() => restoreBody(parsed, contentType).text),
    parameters: parametersIn(parsed),
    ...(isForm ? { contentType: 'application/x-www-form-urlencoded' } : {}),
  }
}

function hasBody({ headers, httpVersionMajor, method }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return true
  if (headers['content-length'] !== undefined) return Number(headers['content-length']) !== 0
  return httpVersionMajor > 1 && method !== 'GET' && method !== 'HEAD'
}

/** Reads nothing before it is read itself, so that a body that is the application's stays as it came. */
function streamOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let chunks: AsyncIterator<Uint8Array> | undefined
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        chunks ??= incoming.iterator({ destroyOnReturn: false })
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await chunks?.return?.()
        // The rest is thrown away: while it is on its way, the connection could carry no answer.
        incoming.resume()
      },
    },
    { highWaterMark: 0 },
  )
}

function streamOnce(make: () => string | Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const made = make()
        const bytes = typeof made === 'string' ? new TextEncoder().encode(made) : made
        if (bytes.length > 0) controller.enqueue(bytes)
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}

function lostBody(): ReadableStream<Uint8Array> {
  return streamOnce(() => {
    throw new TypeError(
      'the body was read before Hallpass got the request, and request.body holds nothing of it: mount Hallpass before whatever reads bodies, or leave what was read in request.body',
    )
  })
}
