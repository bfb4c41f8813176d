/** A real OpenID provider on this machine, and a visitor who signs in there. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Configuration } from 'oidc-provider'

export interface OpenIdProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Signs in as `login` at the address that the browser was sent to; answers with the address that it comes back to. */
  visit(location: string, login: string): Promise<URL>
  /** Goes there and declines. */
  decline(location: string): Promise<URL>
  close(): Promise<void>
}

/** Claims by login. */
export type Claims = Readonly<Record<string, Readonly<Record<string, unknown>>>>

export async function startOpenIdProvider(callbackUrl: string, claims: Claims): Promise<OpenIdProvider> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const configuration: Configuration = {
    clients: [
      {
        client_id: 'hallpass',
        client_secret: 'a-secret-of-the-tests',
        redirect_uris: [callbackUrl],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    claims: { profile: ['name', 'preferred_username', 'groups'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['tests'] },
    findAccount: (_context, id) => ({ accountId: id, claims: async () => ({ sub: id, ...claims[id] }) }),
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
  }
  const provider = new Provider(issuer, configuration)
  server.on('request', provider.callback())

  /** Follows redirects and answers forms, until the browser is sent away from the provider. */
  async function walk(location: string, answer: (form: string) => URLSearchParams | 'abort'): Promise<URL> {
    const cookies = new Map<string, string>()
    let url = new URL(location)
    let body: URLSearchParams | undefined
    for (let step = 0; step < 20; step += 1) {
      if (url.origin !== issuer) return url
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetch(url, {
        redirect: 'manual',
        headers: { cookie },
        ...(body ? { method: 'POST', body } : {}),
      })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
      const html = await response.text()
      const next = response.headers.get('location')
      body = undefined
      if (next) {
        url = new URL(next, url)
        continue
      }
      const action = /<form[^>]*action="([^"]+)"/.exec(html)?.[1]
      if (!action) throw new Error(`the provider answered ${response.status}: ${html.slice(0, 500)}`)
      const given = answer(html)
      url = given === 'abort' ? new URL(`${action}/abort`, url) : new URL(action, url)
      body = given === 'abort' ? undefined : given
    }
    throw new Error('the provider leads nowhere')
  }

  return {
    issuer,
    clientId: 'hallpass',
    clientSecret: 'a-secret-of-the-tests',
    visit: (location, login) =>
      walk(location, (html) =>
        html.includes('name="login"')
          ? new URLSearchParams({ prompt: 'login', login, password: 'any' })
          : new URLSearchParams({ prompt: 'consent' }),
      ),
    decline: (location) => walk(location, () => 'abort'),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
