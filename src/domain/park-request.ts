import { type Refusal, refusal } from '../protocol/errors.ts'
import type { Domain } from './ports.ts'

/**
 * Keeps a request on the server while its user signs in: a cookie would overflow or lose a parameter. `parameters` are
 * those of the request, by their wire names. Answers with the short id that stands for it, by default a random one.
 */
export async function parkRequest(
  domain: Domain,
  parameters: URLSearchParams,
  id: string = Buffer.from(domain.random.bytes(12)).toString('base64url'),
): Promise<string> {
  const createdAt = domain.clock.now()
  const lifetimeMs = domain.settings.current().authorization_request_lifetime_minutes * 60_000
  await domain.store.parkedRequests.insert({
    id,
    parameters: Object.fromEntries(parameters),
    createdAt,
    expiresAt: createdAt + lifetimeMs,
  })
  return id
}

/** The parameters of the request that was parked under `id`, complete. Reason: `request_expired`. */
export async function findParkedRequest(
  domain: Domain,
  id: string,
): Promise<
  | { readonly outcome: 'found'; readonly parameters: URLSearchParams }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
> {
  const parked = /^[\w-]{16}$/.test(id) ? await domain.store.parkedRequests.find(id) : undefined
  if (!parked || parked.expiresAt <= domain.clock.now()) {
    return { outcome: 'refused', refusal: refusal('request_expired') }
  }
  return { outcome: 'found', parameters: new URLSearchParams(parked.parameters) }
}

/** What was parked under an id of the caller's own, once; undefined when there is nothing, or it took too long. */
export async function takeParkedRequest(domain: Domain, id: string): Promise<URLSearchParams | undefined> {
  const parked = await domain.store.parkedRequests.take(id)
  if (!parked || parked.expiresAt <= domain.clock.now()) return undefined
  return new URLSearchParams(parked.parameters)
}
