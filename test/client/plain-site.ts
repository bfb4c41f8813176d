/**
 * A site that speaks the protocol and nothing more, as most sites in the wild do: it seals with OpenSSL, gives no
 * reasons, and answers a dead key and a missing scope alike (protocol §12). In front of it stands a real socket.
 */
import { constants, publicEncrypt, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface PlainSiteOptions {
  /** False for a site from before 2026, which ignores `padding` and seals with PKCS #1 v1.5. Default true. */
  readonly knowsPadding?: boolean
  /** False for a site that allows no loopback redirects, which is how most are set. Default true. */
  readonly allowsLoopback?: boolean
}

/** What a browser ends up with after the user has approved. */
export interface Approval {
  readonly key: string
  /** As the page shows it: lines of 60 characters. */
  readonly payload: string
  /** Undefined without an `auth_redirect`. */
  readonly redirectUrl: string | undefined
}

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

export interface PlainSite {
  readonly baseUrl: string
  /** Every request so far. */
  readonly requests: readonly SeenRequest[]
  /** Does what the user's browser does: shows the request at `url` to the site, and approves it. */
  approve(url: string): Approval
  /** As an owner does on their apps page. */
  revoke(key: string): void
  /** Answers the next request to `path` by hand. */
  answerNext(path: string, status: number, headers: Record<string, string>, body: string): void
  close(): Promise<void>
}

export async function startPlainSite(options: PlainSiteOptions = {}): Promise<PlainSite> {
  const keys = new Map<string, readonly string[]>()
  const requests: SeenRequest[] = []
  const prepared = new Map<string, (response: ServerResponse) => void>()
  const server = createServer((request, response) => void respond(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', baseUrl)
    let body = ''
    for await (const chunk of request) body += chunk
    const method = request.method ?? ''
    requests.push({ method, path: url.pathname + url.search, headers: request.headers, body })
    const byHand = prepared.get(url.pathname)
    prepared.delete(url.pathname)
    if (byHand) {
      byHand(response)
      return
    }
    const route = `${method} ${url.pathname.replace(/\.json$/, '')}`
    const key = String(request.headers['user-api-key'] ?? '')
    const answer = toAnyone(route, url) ?? toKey(route, key, url, body)
    const type = answer.body === undefined ? {} : { 'Content-Type': 'application/json' }
    response
      .writeHead(answer.status, { ...type, ...answer.headers })
      .end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
  }

  function toAnyone(route: string, url: URL): Answer | undefined {
    if (route === 'HEAD /user-api-key/new') return { status: 200, headers: { 'Auth-Api-Version': '4' } }
    if (route === 'GET /site/basic-info') {
      return { status: 200, body: { title: 'Plain', description: 'A site.' } }
    }
    if (route !== 'GET /user-api-key/new') return undefined
    const isRefused = options.allowsLoopback === false && url.searchParams.has('auth_redirect')
    return isRefused
      ? { status: 200, body: { state: 'generic_error' } }
      : { status: 302, headers: { Location: '/login' } }
  }

  function toKey(route: string, key: string, url: URL, body: string): Answer {
    const scopes = keys.get(key)
    const isSelfRevocation = route === 'POST /user-api-key/revoke'
    const isAllowed = scopes?.includes('write') || (scopes?.includes('read') && route.startsWith('GET '))
    if (!scopes || !(isAllowed || isSelfRevocation)) return { status: 403, body: invalidAccess }
    if (isSelfRevocation) {
      keys.delete(key)
      return { status: 200, body: { success: 'OK' } }
    }
    const headers = { 'X-Discourse-Username': 'maria' }
    const bodies: Readonly<Record<string, unknown>> = {
      'GET /session/current': { current_user: { id: 7, username: 'maria' } },
      'GET /search': { query: url.search },
      'POST /posts': { id: 12, sent: body },
    }
    return route in bodies ? { status: 200, headers, body: bodies[route] } : { status: 404, body: notFound }
  }

  return {
    baseUrl,
    requests,
    approve(text) {
      const { searchParams } = new URL(text)
      const key = randomBytes(16).toString('hex')
      keys.set(key, (searchParams.get('scopes') ?? '').split(','))
      const padding = options.knowsPadding === false ? 'pkcs1' : searchParams.get('padding')
      const payload = seal(
        JSON.stringify({ key, nonce: searchParams.get('nonce'), push: false, api: 4 }),
        searchParams.get('public_key') ?? '',
        padding === 'oaep' ? 'oaep' : 'pkcs1',
      )
      const redirect = searchParams.get('auth_redirect')
      const redirectUrl = redirect === null ? undefined : withPayload(redirect, payload)
      return { key, payload, redirectUrl }
    },
    revoke: (key) => void keys.delete(key),
    answerNext: (path, status, headers, body) => {
      prepared.set(path, (response) => void response.writeHead(status, headers).end(body))
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Seals as the protocol's servers do (protocol §4.3, §4.4). */
export function seal(text: string, publicKeyPem: string, padding: 'oaep' | 'pkcs1'): string {
  const scheme = padding === 'oaep' ? constants.RSA_PKCS1_OAEP_PADDING : constants.RSA_PKCS1_PADDING
  const sealed = publicEncrypt({ key: publicKeyPem, padding: scheme }, Buffer.from(text))
  return sealed.toString('base64').replace(/.{1,60}/g, '$&\n')
}

/** The redirect's address, escaped as a form is (protocol §3.3). */
export function withPayload(redirect: string, payload: string): string {
  return `${redirect}${redirect.includes('?') ? '&' : '?'}payload=${encodeURIComponent(payload)}`
}

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
}

const invalidAccess = {
  errors: ['You are not permitted to view the requested resource.'],
  error_type: 'invalid_access',
}

const notFound = {
  errors: ['The requested URL or resource could not be found.'],
  error_type: 'not_found',
}
