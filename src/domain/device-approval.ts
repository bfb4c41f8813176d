/**
 * The user's half of the device flow (protocol §5): they type the code on any device with a browser, look at what is
 * asked for, and approve or deny.
 */
import {
  devicePayloadLifetimeSeconds,
  isRequestToken,
  normalizeUserCode,
  type RequestedKey,
} from '../protocol/device-request.ts'
import type { Refusal } from '../protocol/errors.ts'
import { grantsOf } from '../protocol/scope-parameters.ts'
import { checkGroups } from './authorize.ts'
import { checkAgain } from './check-device-request.ts'
import { commit } from './commit.ts'
import { limitCodeAttempts, limitLookups } from './device-limits.ts'
import type { Actor } from './events.ts'
import { issueUserApiKey } from './issue-key.ts'
import { hashSecret, newApprovalToken } from './key-text.ts'
import type { Domain } from './ports.ts'
import type { DeviceRequestRecord } from './store.ts'
import { narrowingFacts } from './store-key.ts'
import type { User } from './user.ts'

/** Why a verb did nothing. */
export interface Refused {
  readonly outcome: 'refused'
  readonly refusal: Refusal
}

/** What a user decides on. */
export interface DeviceView {
  readonly request: RequestedKey
  /** When the key would expire, in milliseconds since the epoch; null for never. */
  readonly expiresAt: number | null
  /** Why this user may not approve apps at all, if that is so. */
  readonly notAllowed: Refusal | undefined
}

/** `gone`: there is no such request, or it is decided, expired or another user's. */
export type DevicePreview =
  | Refused
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'found'; readonly view: DeviceView }

/** What typing a code came to. `invalid`: no request has this code. */
export type CodeEntered =
  | DevicePreview
  | { readonly outcome: 'invalid' }
  | { readonly outcome: 'bound'; readonly view: DeviceView; readonly approvalToken: string }

/** What a decision came to. `wrong_code`: the code is not this request's, which stays as it was. */
export type Decided =
  | Refused
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'wrong_code'; readonly view: DeviceView }
  | { readonly outcome: 'complete' }

/** How many approval tokens a browser session holds; a further one takes the oldest's place (protocol §5.1). */
const approvalsPerSession = 10

/** Looks at the request behind an activation link, without tying it to anybody. Reason: `rate_limited`. */
export async function previewDeviceRequest(
  domain: Domain,
  actor: Actor,
  requestToken: string,
  user: User,
): Promise<DevicePreview> {
  const found = await findByLink(domain, actor, requestToken, user)
  return found.outcome === 'found' ? { outcome: 'found', view: found.view } : found
}

/**
 * Takes a typed code, and ties its request to the user. What is answered with `bound` can be decided on with the
 * approval token in this browser session alone; `found` is for an account that may not approve apps, for which nothing
 * changes. Reason: `rate_limited`.
 */
export async function enterDeviceCode(
  domain: Domain,
  actor: Actor,
  typed: string,
  { user, sessionHash }: { readonly user: User; readonly sessionHash: string },
): Promise<CodeEntered> {
  const code = normalizeUserCode(typed)
  const limited = limitCodeAttempts(domain, actor.address, user, code)
  if (limited) return refused(limited)
  const { store, clock } = domain
  const record = code === undefined ? undefined : await store.deviceRequests.findByUserCode(hashSecret(code))
  if (!record) return { outcome: 'invalid' }
  const seen = await look(domain, record, user)
  if (seen.outcome !== 'found' || seen.view.notAllowed) return seen
  const { deviceCodeHash } = record
  const now = clock.now()
  const approvalToken = newApprovalToken(domain.random)
  const isBound = await store.transaction(async (session) => {
    if (!(await session.deviceRequests.bind(deviceCodeHash, user.id, now))) return false
    const approval = {
      tokenHash: approvalToken.hash,
      sessionHash,
      userId: user.id,
      deviceCodeHash,
      createdAt: now,
    }
    await session.deviceApprovals.insert(approval, approvalsPerSession)
    return true
  })
  return isBound
    ? { outcome: 'bound', view: seen.view, approvalToken: approvalToken.text }
    : { outcome: 'gone' }
}

/**
 * Approves the request behind a link, for which its code must be typed all the same: whoever sent the link need not be
 * the one who holds the device. Reasons: `group_not_allowed`, `rate_limited`, those of `checkDeviceRequest`.
 */
export async function authorizeDeviceByLink(
  domain: Domain,
  actor: Actor,
  { requestToken, code: typed }: { readonly requestToken: string; readonly code: string },
  user: User,
): Promise<Decided> {
  const notAllowed = checkGroups(user, domain.settings.current())
  if (notAllowed) return refused(notAllowed)
  const found = await findByLink(domain, actor, requestToken, user)
  if (found.outcome !== 'found') return found
  const code = normalizeUserCode(typed)
  const limited = limitCodeAttempts(domain, actor.address, user, code)
  if (limited) return refused(limited)
  const { record, view } = found
  if (code === undefined || hashSecret(code) !== record.userCodeHash) return { outcome: 'wrong_code', view }
  const isBound = await domain.store.deviceRequests.bind(record.deviceCodeHash, user.id, domain.clock.now())
  return isBound ? authorize(domain, actor, record, user) : { outcome: 'gone' }
}

/**
 * Approves the request that an approval token of this browser session and user stands for. Reasons:
 * `group_not_allowed`, those of `checkDeviceRequest`.
 */
export async function authorizeDeviceByToken(
  domain: Domain,
  actor: Actor,
  approvalToken: string,
  who: { readonly user: User; readonly sessionHash: string },
): Promise<Decided> {
  const notAllowed = checkGroups(who.user, domain.settings.current())
  if (notAllowed) return refused(notAllowed)
  const record = await findByApproval(domain, approvalToken, who)
  return record ? authorize(domain, actor, record, who.user) : { outcome: 'gone' }
}

/** Denies the request that an approval token stands for. Denying twice is denying once. */
export async function denyDevice(
  domain: Domain,
  actor: Actor,
  approvalToken: string,
  who: { readonly user: User; readonly sessionHash: string },
): Promise<{ readonly outcome: 'gone' } | { readonly outcome: 'complete' }> {
  const record = await findByApproval(domain, approvalToken, who)
  if (!record) return { outcome: 'gone' }
  const { deviceCodeHash } = record
  const now = domain.clock.now()
  const isDenied = await commit(domain, actor, async (session) => {
    const isChanged = await session.deviceRequests.deny(deviceCodeHash, who.user.id, now)
    const clientId = record.parameters.client_id ?? ''
    return { result: isChanged, events: isChanged ? [{ type: 'device_request_denied', clientId }] : [] }
  })
  if (isDenied) return { outcome: 'complete' }
  const after = await domain.store.deviceRequests.find(deviceCodeHash)
  return after?.status === 'denied' && after.expiresAt > now ? { outcome: 'complete' } : { outcome: 'gone' }
}

type Found =
  | Refused
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'found'; readonly view: DeviceView; readonly record: DeviceRequestRecord }

async function findByLink(domain: Domain, actor: Actor, sent: string, user: User): Promise<Found> {
  const token = isRequestToken(sent) ? sent : undefined
  const limited = limitLookups(domain, actor.address, user, token)
  if (limited) return refused(limited)
  const { deviceRequests } = domain.store
  const record = token === undefined ? undefined : await deviceRequests.findByRequestToken(hashSecret(token))
  if (!record) return { outcome: 'gone' }
  const seen = await look(domain, record, user)
  return seen.outcome === 'found' ? { ...seen, record } : seen
}

/** The request that the token stands for, if it is this session's and this user's; in whatever state. */
async function findByApproval(
  { store }: Domain,
  token: string,
  { user, sessionHash }: { readonly user: User; readonly sessionHash: string },
): Promise<DeviceRequestRecord | undefined> {
  const approval = await store.deviceApprovals.find(hashSecret(token))
  if (!approval || approval.sessionHash !== sessionHash || approval.userId !== user.id) return undefined
  return store.deviceRequests.find(approval.deviceCodeHash)
}

/** What the user would decide on, when it is theirs to decide. */
async function look(domain: Domain, record: DeviceRequestRecord, user: User): Promise<DevicePreview> {
  if (!isOpenTo(record, user, domain.clock.now())) return { outcome: 'gone' }
  const checked = await checkAgain(domain, record)
  if (checked.outcome === 'refused') return checked
  const notAllowed = checkGroups(user, domain.settings.current())
  return {
    outcome: 'found',
    view: { request: checked.request, expiresAt: record.keyExpiresAt, notAllowed },
  }
}

/** The settings and the client may have changed since the request was made, so all is checked again (§5.4). */
async function authorize(
  domain: Domain,
  actor: Actor,
  record: DeviceRequestRecord,
  user: User,
): Promise<Decided> {
  const now = domain.clock.now()
  if (!isOpenTo(record, user, now)) return { outcome: 'gone' }
  const checked = await checkAgain(domain, record)
  if (checked.outcome === 'refused') return checked
  const { deviceCodeHash } = record
  if (checked.delivery === 'open') {
    // The key is issued to the poll, so the approval may wait as long as the app may ask.
    const change = { payload: null, expiresAt: record.expiresAt, now }
    const { clientId, scopes, scopeParameters } = checked.request
    const narrowing = narrowingFacts(grantsOf(scopes, scopeParameters))
    const isApproved = await commit(domain, actor, async (session) => {
      const isChanged = await session.deviceRequests.authorize(deviceCodeHash, user.id, change)
      const event = { type: 'device_request_approved', clientId, scopes, ...narrowing } as const
      return { result: isChanged, events: isChanged ? [event] : [] }
    })
    return { outcome: isApproved ? 'complete' : 'gone' }
  }
  const expiresAt = Math.min(record.expiresAt, now + devicePayloadLifetimeSeconds * 1000)
  const payload = await issueUserApiKey(domain, actor, checked.request, {
    user,
    expiresAt: record.keyExpiresAt,
    claim: (session, sealed) =>
      session.deviceRequests.authorize(deviceCodeHash, user.id, { payload: sealed, expiresAt, now }),
  })
  return { outcome: payload === undefined ? 'gone' : 'complete' }
}

/** A request for a key that would be over by now is over as well. */
function isOpenTo(record: DeviceRequestRecord, user: User, now: number): boolean {
  const { status, userId, expiresAt, keyExpiresAt } = record
  const isTheirs = userId === null || userId === user.id
  return status === 'pending' && isTheirs && expiresAt > now && (keyExpiresAt === null || keyExpiresAt > now)
}

function refused(why: Refusal): Refused {
  return { outcome: 'refused', refusal: why }
}
