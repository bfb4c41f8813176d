/** The jobs that revoke keys by their age (protocol §8.6). */
import type { DomainEvent, RevocationCause } from './events.ts'
import { batchSize, counted, inBatches, type Job, type JobOutcome, type JobRun, turnedOff } from './job.ts'
import type { Domain } from './ports.ts'
import type { AgeCursor, ApiKeyAge, UserApiKeyAge } from './store.ts'
import { keyFacts } from './store-key.ts'
import { checkActive } from './user-api-keys.ts'

const dayMs = 86_400_000

/** Revokes user API keys that nobody has used for `revoke_user_api_keys_unused_days`. */
export const revokeUnusedUserApiKeys: Job = {
  name: 'revoke-unused-user-api-keys',
  description: 'Revokes user API keys that were not used for revoke_user_api_keys_unused_days.',
  everyMs: dayMs,
  run: (domain, run) =>
    revokeUserApiKeys(domain, run, {
      setting: 'revoke_user_api_keys_unused_days',
      cause: 'unused',
      by: 'lastUsedAt',
    }),
}

/** Revokes user API keys that were made `revoke_user_api_keys_maxlife_days` ago, used or not. */
export const revokeOldUserApiKeys: Job = {
  name: 'revoke-old-user-api-keys',
  description: 'Revokes user API keys older than revoke_user_api_keys_maxlife_days, used or not.',
  everyMs: dayMs,
  run: (domain, run) =>
    revokeUserApiKeys(domain, run, {
      setting: 'revoke_user_api_keys_maxlife_days',
      cause: 'maximum_life',
      by: 'createdAt',
    }),
}

/**
 * Revokes API keys with which nothing happened for `revoke_api_keys_unused_days`: neither a use nor a change. A key
 * whose use was not recorded counts as used at `api_key_last_used_epoch`.
 */
export const revokeUnusedApiKeys: Job = {
  name: 'revoke-unused-api-keys',
  description: 'Revokes administrators’ API keys that were not used for revoke_api_keys_unused_days.',
  everyMs: dayMs,
  run(domain, run) {
    const { api_key_last_used_epoch: epoch } = domain.settings.current()
    const epochMs = epoch === '' ? 0 : Date.parse(epoch)
    const timeOf = ({ createdAt, updatedAt, lastUsedAt }: ApiKeyAge): number =>
      Math.max(createdAt, updatedAt, lastUsedAt ?? 0, epochMs)
    return revokeApiKeys(domain, run, { setting: 'revoke_api_keys_unused_days', cause: 'unused', timeOf })
  },
}

/** Revokes API keys that were made `revoke_api_keys_maxlife_days` ago, used or not. */
export const revokeOldApiKeys: Job = {
  name: 'revoke-old-api-keys',
  description: 'Revokes administrators’ API keys older than revoke_api_keys_maxlife_days, used or not.',
  everyMs: dayMs,
  run: (domain, run) =>
    revokeApiKeys(domain, run, {
      setting: 'revoke_api_keys_maxlife_days',
      cause: 'maximum_life',
      timeOf: ({ createdAt }) => createdAt,
    }),
}

async function revokeUserApiKeys(
  domain: Domain,
  run: JobRun,
  rule: {
    readonly setting: 'revoke_user_api_keys_unused_days' | 'revoke_user_api_keys_maxlife_days'
    readonly cause: RevocationCause
    /** The time that the days are counted from. */
    readonly by: 'lastUsedAt' | 'createdAt'
  },
): Promise<JobOutcome> {
  const days = domain.settings.current()[rule.setting]
  if (days === 0) return turnedOff(rule.setting)
  const now = domain.clock.now()
  const before = now - days * dayMs
  const done = await inBatches<AgeCursor>(run, async (session, after) => {
    const page = { before, limit: batchSize, ...(after && { after }) }
    const keys = await session.userApiKeys.listUnrevoked(rule.by, page)
    // An expired key is over already, and stays what it is (protocol §8.1).
    const active = keys.filter((key) => checkActive(key, now) === undefined)
    const ids = active.map(({ id }) => id)
    await session.userApiKeys.revokeAll(ids, now)
    const events = active.map(
      (key): DomainEvent => ({ type: 'user_api_key_revoked', cause: rule.cause, ...keyFacts(key) }),
    )
    return { result: { done: ids.length, next: cursorAfter(keys, (key) => key[rule.by]) }, events }
  })
  return { summary: `${counted(done, 'key', 'keys')} revoked` }
}

async function revokeApiKeys(
  domain: Domain,
  run: JobRun,
  rule: {
    readonly setting: 'revoke_api_keys_unused_days' | 'revoke_api_keys_maxlife_days'
    readonly cause: RevocationCause
    /** The time that the days are counted from; never before the key was made. */
    readonly timeOf: (key: ApiKeyAge) => number
  },
): Promise<JobOutcome> {
  const days = domain.settings.current()[rule.setting]
  if (days === 0) return turnedOff(rule.setting)
  const now = domain.clock.now()
  const before = now - days * dayMs
  const done = await inBatches<AgeCursor>(run, async (session, after) => {
    const page = { before, limit: batchSize, ...(after && { after }) }
    const keys = await session.apiKeys.listUnrevoked(page)
    const over = keys.filter((key) => rule.timeOf(key) < before)
    const ids = over.map(({ id }) => id)
    await session.apiKeys.revokeAll(ids, now)
    const events = over.map(({ id, keyHash, userId }): DomainEvent => {
      return { type: 'api_key_revoked', cause: rule.cause, apiKeyId: id, keyHash, userId }
    })
    return { result: { done: ids.length, next: cursorAfter(keys, ({ createdAt }) => createdAt) }, events }
  })
  return { summary: `${counted(done, 'key', 'keys')} revoked` }
}

/** Where the next page begins; undefined after a page that was not full, which is the last. */
function cursorAfter<Row extends UserApiKeyAge | ApiKeyAge>(
  page: readonly Row[],
  timeOf: (row: Row) => number,
): AgeCursor | undefined {
  const last = page.length === batchSize ? page.at(-1) : undefined
  return last && { at: timeOf(last), id: last.id }
}
