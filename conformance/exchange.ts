/**
 * One request and its answer. `fetch` would tidy up paths, follow redirects and refuse headers; here everything goes over
 * the wire as a case wrote it.
 */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { request as secureRequest, Agent as TlsAgent } from 'node:https'

/** A request as it is sent. */
export interface SentRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Text, or bytes where they are to be no text. */
  readonly body?: string | Uint8Array
}

/** An answer, read to its end. */
export interface Answer {
  readonly request: SentRequest
  readonly status: number
  readonly text: string
  /** A header's value, or undefined; several of one name are joined with a comma. */
  header(name: string): string | undefined
  /** Each `Set-Cookie`, as it came. */
  readonly setCookies: readonly string[]
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown
}

/** Longest that an answer may take, in milliseconds. */
const patienceMs = 30_000

const plain = new PlainAgent({ keepAlive: true })
const secure = new TlsAgent({ keepAlive: true })

/** Sends a request to `origin` (scheme, host and port), with the path exactly as given. Follows nothing. */
export async function send(
  origin: string,
  path: string,
  asked: { method: string; headers: Readonly<Record<string, string>>; body?: string | Uint8Array },
): Promise<Answer> {
  const sent: SentRequest = { ...asked, url: origin + path }
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const { protocol, hostname, port } = new URL(origin)
    const isSecure = protocol === 'https:'
    const outgoing = (isSecure ? secureRequest : plainRequest)(
      {
        agent: isSecure ? secure : plain,
        host: hostname.replace(/^\[|\]$/g, ''),
        port: port || (isSecure ? 443 : 80),
        method: asked.method,
        path,
        headers: withLength(asked),
        timeout: patienceMs,
      },
      resolve,
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${patienceMs / 1000} s`)))
    outgoing.on('error', (error) => {
      reject(new Error(`${asked.method} ${path}: ${error.message}`, { cause: error }))
    })
    outgoing.end(asked.body)
  })
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return answerOf(sent, message, Buffer.concat(chunks).toString())
}

/** Ends the connections that are kept open, so that nothing holds the process. */
export function closeConnections(): void {
  plain.destroy()
  secure.destroy()
}

function withLength({
  method,
  headers,
  body,
}: {
  method: string
  headers: Readonly<Record<string, string>>
  body?: string | Uint8Array
}): Record<string, string> {
  if (body === undefined && ['GET', 'HEAD'].includes(method)) return { ...headers }
  return { ...headers, 'content-length': String(Buffer.byteLength(body ?? '')) }
}

function answerOf(request: SentRequest, message: IncomingMessage, text: string): Answer {
  const header = (name: string): string | undefined => {
    const value = message.headers[name.toLowerCase()]
    return Array.isArray(value) ? value.join(', ') : value
  }
  return {
    request,
    status: message.statusCode ?? 0,
    text,
    header,
    setCookies: message.headers['set-cookie'] ?? [],
    json: parsed(text),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
