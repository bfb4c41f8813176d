/**
 * The app's half of the standard's own device flow (RFC 8628 §3.4, §3.5), where the key is delivered open. Its text may
 * be kept nowhere, so that it cannot wait for the poll: the user's approval is what waits, and the poll issues the key.
 */
import { devicePollIntervalSeconds, isDeviceCode } from '../protocol/device-request.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { grantsOf } from '../protocol/scope-parameters.ts'
import { checkGroups } from './authorize.ts'
import { checkAgain } from './check-device-request.ts'
import { commit } from './commit.ts'
import { hashSecret, newUserApiKeyText } from './key-text.ts'
import type { Domain } from './ports.ts'
import type { DeviceRequestRecord, GrantedScope } from './store.ts'
import { storeUserApiKey } from './store-key.ts'
import { checkOwner, type User } from './user.ts'

/** A poll, as it came. */
export interface TokenPoll {
  readonly deviceCode: string
  readonly clientId: string
  /** Tells polls apart that one client sends at once in different forms; each of them may come in every interval. */
  readonly form: string
  /** The address it came from; null when unknown. For the audit log. */
  readonly address: string | null
  /** The trace of its request. For the audit log. */
  readonly traceId?: string | undefined
}

/** A key issued to the poll that this answers. */
export interface TokenIssued {
  readonly outcome: 'issued'
  /** The user API key's text, which is here and nowhere else. */
  readonly accessToken: string
  readonly scopes: readonly GrantedScope[]
  /** In how many seconds the key expires; undefined for never. */
  readonly expiresInSeconds: number | undefined
}

type Refused = { readonly outcome: 'refused'; readonly refusal: Refusal }

/**
 * Issues the key that the user has approved, to one of the polls that ask for it, however many come at once. All is
 * checked again before: between approval and poll the user may have been suspended, and the settings changed.
 * Reasons: `device_code_invalid`, `device_code_expired`, `device_request_pending`, `device_polled_too_often`,
 * `device_request_denied`, `owner_suspended`, `owner_inactive`, `group_not_allowed`, those of `checkDeviceAuthorization`.
 */
export async function issueToken(domain: Domain, poll: TokenPoll): Promise<TokenIssued | Refused> {
  const now = domain.clock.now()
  const record = await findRequest(domain, poll)
  if (!record) return refused(refusal('device_code_invalid'))
  if (record.expiresAt <= now || (record.keyExpiresAt !== null && record.keyExpiresAt <= now)) {
    return refused(refusal('device_code_expired'))
  }
  if (record.status === 'pending') return refused(whileUndecided(domain, poll))
  if (record.status === 'denied') return refused(refusal('device_request_denied'))
  const user = record.userId === null ? undefined : await domain.directory.findUserById(record.userId)
  // Somebody whose account is gone is as one whose account is switched off.
  if (!user) return refused(refusal('owner_inactive'))
  const problem = checkOwner(user, now) ?? checkGroups(user, domain.settings.current())
  return problem ? refused(problem) : issue(domain, poll, record, user)
}

async function findRequest(
  { store }: Domain,
  { deviceCode, clientId }: TokenPoll,
): Promise<DeviceRequestRecord | undefined> {
  const record = isDeviceCode(deviceCode)
    ? await store.deviceRequests.find(hashSecret(deviceCode))
    : undefined
  return record?.delivery === 'open' && record.parameters.client_id === clientId ? record : undefined
}

/** Half a second of grace, for timers that run fast and answers that took their time. */
function whileUndecided({ limiter, settings }: Domain, { deviceCode, form }: TokenPoll): Refusal {
  const interval = devicePollIntervalSeconds
  const limit = { name: 'device_poll_interval', max: 1, windowMs: interval * 1000 - 500 }
  const isEarly =
    !settings.current().disable_rate_limits &&
    limiter.take(limit, `${hashSecret(deviceCode)} ${form}`).outcome === 'limited'
  return refusal(isEarly ? 'device_polled_too_often' : 'device_request_pending', { interval })
}

async function issue(
  domain: Domain,
  { address, traceId }: TokenPoll,
  record: DeviceRequestRecord,
  user: User,
): Promise<TokenIssued | Refused> {
  const checked = await checkAgain(domain, record)
  if (checked.outcome === 'refused') return checked
  const { clientId, applicationName } = checked.request
  const granted = grantsOf(checked.request.scopes, checked.request.scopeParameters)
  const now = domain.clock.now()
  const key = newUserApiKeyText(domain.random)
  // Who is accountable is the user who approved; that the poll came with the device code and no session, `via` tells.
  const actor = { userId: user.id, via: 'device_code', address, traceId } as const
  const isIssued = await commit(domain, actor, async (session) => {
    // Taking the request comes first: of the polls that come at once, one finds it.
    if (!(await session.deviceRequests.take(record.deviceCodeHash, now))) return { result: false, events: [] }
    const { events } = await storeUserApiKey(session, {
      userId: user.id,
      clientId,
      applicationName,
      keyHash: key.hash,
      scopes: granted,
      pushUrl: null,
      createdAt: now,
      expiresAt: record.keyExpiresAt,
    })
    return { result: true, events }
  })
  if (!isIssued) return refused(refusal('device_code_invalid'))
  const expiresInSeconds =
    record.keyExpiresAt === null ? undefined : Math.max(1, Math.floor((record.keyExpiresAt - now) / 1000))
  return { outcome: 'issued', accessToken: key.text, scopes: granted, expiresInSeconds }
}

function refused(why: Refusal): Refused {
  return { outcome: 'refused', refusal: why }
}
