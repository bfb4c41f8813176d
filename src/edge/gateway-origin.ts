/** Where a request came from, and by which address its sender knows the site: as the peer has it, or a trusted proxy. */
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { addressMatcher, plainAddress } from '../domain/address.ts'
import type { ForwardableRequest } from './gateway-request.ts'

/** What `X-Forwarded-For`, `-Proto` and `-Host` tell. */
export interface RequestOrigin {
  /** Addresses, the farthest first, separated by commas. */
  readonly for: string
  readonly proto: string
  /** Empty where nobody named one. */
  readonly host: string
}

/** @throws TypeError for a range of proxies that is none */
export function createOriginReader(options: {
  readonly baseUrl?: string
  readonly trustedProxies?: readonly string[]
}): (incoming: IncomingMessage, request: ForwardableRequest) => RequestOrigin {
  const isTrusted = addressMatcher(options.trustedProxies ?? [])
  const base = options.baseUrl === undefined ? undefined : new URL(options.baseUrl)
  return (incoming, request) => {
    const peer = plainAddress(incoming.socket.remoteAddress ?? '')
    const trusted = peer !== '' && isTrusted(peer) ? incoming.headers : {}
    const earlier = trusted['x-forwarded-for']
    return {
      for: earlier === undefined ? peer : `${earlier}, ${peer}`,
      proto: base?.protocol.slice(0, -1) ?? nearest(trusted['x-forwarded-proto']) ?? scheme(incoming),
      host: base?.host ?? nearest(trusted['x-forwarded-host']) ?? request.host,
    }
  }
}

/** Whether the browser says that a page of this site sent it; what says nothing is not taken for one that does. */
export function isSameOrigin({ headers }: IncomingMessage, { proto, host }: RequestOrigin): boolean {
  const site = headers['sec-fetch-site']
  return site === undefined ? headers.origin === `${proto}://${host}` : site === 'same-origin'
}

/** By what the caller speaks with this process. */
export function scheme({ socket }: IncomingMessage): 'http' | 'https' {
  return (socket as Partial<TLSSocket>).encrypted ? 'https' : 'http'
}

/** What the nearest proxy said: it added its own at the right. */
function nearest(header: string | readonly string[] | undefined): string | undefined {
  return (
    String(header ?? '')
      .split(',')
      .at(-1)
      ?.trim() || undefined
  )
}
