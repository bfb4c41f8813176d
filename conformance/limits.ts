import type { Answer } from './exchange.ts'
import { check, equal, skip } from './expect.ts'
import type { Site } from './site.ts'

/**
 * Runs a case of limits with the limits on, and with those settings. Skips it where a setting is named that the site does
 * not have: its operator keeps the limit elsewhere.
 */
export async function withLimits<Result>(
  site: Site,
  settings: Readonly<Record<string, string>>,
  run: () => Promise<Result>,
): Promise<Result> {
  const absent = Object.keys(settings).find((name) => site.settings.value(name) === undefined)
  if (absent !== undefined) skip(`the site’s limit is no setting: ${absent}`)
  const on: Record<string, string> =
    site.settings.value('disable_rate_limits') === undefined ? {} : { disable_rate_limits: 'false' }
  // Another limit must not come first.
  const wide = [
    'max_reqs_per_ip_per_minute',
    'max_reqs_per_ip_per_10_seconds',
    'max_device_code_attempts_per_hour',
  ]
    .filter((name) => site.settings.value(name) !== undefined)
    .map((name) => [name, '10000'])
  // The limits change first and come on last, so that putting them back is not limited either.
  return site.settings.with({ ...Object.fromEntries(wide), ...settings }, () => site.settings.with(on, run))
}

/** Sends up to `most` requests until one is refused with 429; answers with it, and how many were let through. */
export async function untilRefused(
  most: number,
  send: (count: number) => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly allowed: number }> {
  for (let allowed = 0; ; allowed += 1) {
    const answer = await send(allowed)
    if (answer.status === 429) return { answer, allowed }
    check(allowed < most, `${allowed + 1} requests were let through`, answer)
  }
}

/**
 * Sends requests until one is refused, and fails unless `limit` of them were let through. What was sent in the minute
 * before counts as well, so where too few are let through that minute is waited for, once.
 */
export async function expectLimit(
  limit: number,
  what: string,
  send: (count: number) => Promise<Answer>,
): Promise<Answer> {
  const first = await untilRefused(limit, send)
  if (first.allowed === limit) return first.answer
  await new Promise((resolve) => setTimeout(resolve, 61_000))
  const { answer, allowed } = await untilRefused(limit, send)
  equal(allowed, limit, what, answer)
  return answer
}
