import { systemActor } from '../domain/events.ts'
import { type ExternalSignIn, signInExternally } from '../domain/external-accounts.ts'
import type { Domain } from '../domain/ports.ts'
import { readCsrfCookie } from './cookies.ts'
import type { ProxyHeaderOptions } from './sign-in-options.ts'
import type { CsrfTokens, Visitors } from './visitors.ts'

/** What telling visitors by headers needs. `isFromProxy`: whether a request came from a trusted proxy. */
export interface ProxyHeaderParts {
  readonly domain: () => Domain
  readonly isFromProxy: (request: Request) => boolean
  /** Whether the browser that sent a request reaches the site by https. */
  readonly isSecure: (request: Request) => boolean
}

/**
 * Visitors whom a proxy in front names; from anybody else its headers mean nothing. There is no session to start or to
 * end. CSRF tokens are asked for as ever, because the proxy would name the user on a request from another site too.
 *
 * @throws TypeError for a name that no header can have
 */
export function proxyHeaderVisitors(
  options: ProxyHeaderOptions,
  { domain, isFromProxy, isSecure }: ProxyHeaderParts,
  csrf: CsrfTokens,
): Visitors {
  const { userHeader, nameHeader, emailHeader, admins = [] } = options
  for (const name of [userHeader, nameHeader, emailHeader]) {
    if (name !== undefined && !/^[a-z0-9-]+$/i.test(name))
      throw new TypeError(`${name} is no name of a header`)
  }
  const read = (request: Request, name: string | undefined): string | undefined =>
    name === undefined ? undefined : headerText(request.headers.get(name))

  async function signIn(request: Request): Promise<ExternalSignIn | undefined> {
    const subject = isFromProxy(request) ? read(request, userHeader) : undefined
    if (subject === undefined) return undefined
    return signInExternally(domain(), systemActor, {
      provider: 'proxy-header',
      subject,
      username: subject,
      name: read(request, nameHeader),
      email: read(request, emailHeader),
      admin: admins.includes(subject),
    })
  }

  return {
    ...csrf,

    async currentUser(request) {
      const signedIn = await signIn(request)
      return signedIn?.outcome === 'known' ? signedIn.user : undefined
    },

    async shutOut(request) {
      const signedIn = await signIn(request)
      return signedIn?.outcome === 'refused' ? signedIn.refusal : undefined
    },

    hasSession: () => false,
    browserId: (request) => readCsrfCookie(request, isSecure(request)) ?? '',
  }
}

/** A header holds bytes; what stands in it as UTF-8 is read as that. Two values in one name nobody. */
function headerText(value: string | null): string | undefined {
  const text = value?.trim()
  if (!text || text.length > 255 || text.includes(',')) return undefined
  const decoded = Buffer.from(text, 'latin1').toString('utf8')
  return decoded.includes('\ufffd') ? text : decoded
}
