/** A proxy that remembers every secret that passes it, so that a test can look for them where none may be. */
import { createHash } from 'node:crypto'
import { createServer, request as forward, type IncomingHttpHeaders } from 'node:http'

export interface RecordingProxy {
  readonly port: number
  /** Every secret so far: the text, with the place where it was seen. */
  readonly secrets: ReadonlyMap<string, string>
  close(): void
}

/** Stands on a free port in front of the server on `port`, under the name that its callers use. */
export async function startRecordingProxy(port: number): Promise<RecordingProxy> {
  const secrets = new Map<string, string>()
  const add = (where: string, value: unknown): void => {
    // What is short, or a plain word such as the key of a scope, a log may hold for other reasons.
    const isWord = where === 'key' && /^[a-z_]+$/.test(String(value))
    if (typeof value === 'string' && value.length >= 8 && !isWord) secrets.set(value, where)
  }
  const server = createServer(async (incoming, outgoing) => {
    const body: Buffer[] = []
    for await (const chunk of incoming) body.push(chunk as Buffer)
    const { method = 'GET', url = '/', rawHeaders } = incoming
    harvestHeaders(incoming.headers, add)
    harvestText(`${url}\n${Buffer.concat(body)}`, add)
    const sending = forward({ host: '127.0.0.1', port, method, path: url, headers: rawHeaders }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        harvestHeaders(answer.headers, add)
        harvestText(`${answer.headers.location ?? ''}\n${Buffer.concat(chunks)}`, add)
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
        outgoing.end(Buffer.concat(chunks))
      })
    })
    sending.on('error', () => outgoing.destroy())
    sending.end(Buffer.concat(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return {
    port: address.port,
    secrets,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Those of `secrets` that are in `text`, in whatever form, each with where it came from and its form. */
export function leaksIn(text: string, secrets: Iterable<readonly [secret: string, where: string]>): string[] {
  const folded = text.toLowerCase()
  const found: string[] = []
  for (const [secret, where] of secrets) {
    for (const [form, written] of Object.entries(formsOf(secret))) {
      if (folded.includes(written.toLowerCase())) found.push(`${where} as ${form}: ${secret}`)
    }
  }
  return found
}

function formsOf(secret: string): Readonly<Record<string, string>> {
  const bytes = Buffer.from(secret)
  return {
    'it is': secret,
    base64: bytes.toString('base64').replace(/=+$/, ''),
    base64url: bytes.toString('base64url'),
    hexadecimal: bytes.toString('hex'),
    'percent-encoded': encodeURIComponent(secret),
    JSON: JSON.stringify(secret).slice(1, -1),
    'SHA-256': createHash('sha256').update(secret).digest('hex'),
  }
}

type Add = (where: string, value: unknown) => void

function harvestHeaders(headers: IncomingHttpHeaders, add: Add): void {
  for (const name of ['api-key', 'user-api-key', 'x-csrf-token']) add(name, headers[name])
  add('authorization', headers.authorization?.replace(/^\w+ +/, ''))
  const cookies = [...(headers.cookie?.split(/; */) ?? []), ...(headers['set-cookie'] ?? [])]
  for (const cookie of cookies) add('cookie', /^[^=]+=([^;]*)/.exec(cookie)?.[1])
}

const names =
  'user_api_key|api_key|key|token|otp|oneTimePassword|one_time_password|authenticity_token|csrf|payload|device_code|user_code|access_token|request_token|approval_token|password|login_password|secret|push_api_secret_key|client_secret'

/** In JSON, in forms and addresses, in the fields of pages, in the path of a one-time sign-in. */
function harvestText(text: string, add: Add): void {
  const patterns = [
    new RegExp(`"(${names})":"((?:[^"\\\\]|\\\\.)*)"`, 'g'),
    new RegExp(`(?:^|[?&\\n])(${names})=([^&\\s"#]*)`, 'gm'),
    new RegExp(`name="(${names})"[^>]*value="([^"]*)"`, 'g'),
    /\/session\/(otp)\/([^/?\s"]+)/g,
  ]
  for (const pattern of patterns) {
    for (const [, name = '', value = ''] of text.matchAll(pattern)) {
      add(name, value)
      add(name, decoded(value))
    }
  }
}

function decoded(value: string): string {
  try {
    return value.includes('%') ? decodeURIComponent(value.replaceAll('+', ' ')) : value
  } catch {
    return value
  }
}
