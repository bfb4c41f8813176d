/** One try of a push: what is sent, and what its answer means. */
import { createHmac } from 'node:crypto'
import type { Settings } from '../protocol/settings.ts'
import type { OutboundAnswer } from './ports.ts'
import type { PushDeliveryRecord, PushOutcome } from './store.ts'

/**
 * The headers of a push. `Hallpass-Delivery` names it: should the server end between a push and the note that it
 * arrived, it is sent again under the same name. `Hallpass-Signature` is `t=SECONDS,v1=HEX`, the HMAC-SHA256 of
 * `SECONDS.BODY` under push_api_secret_key; there is none while that is empty.
 */
export function pushHeaders(
  push: PushDeliveryRecord,
  body: string,
  { secret, now }: { readonly secret: string; readonly now: number },
): Readonly<Record<string, string>> {
  const seconds = Math.floor(now / 1000)
  return {
    'content-type': 'application/json',
    'user-agent': 'Hallpass',
    'hallpass-delivery': String(push.id),
    ...(secret === '' ? {} : { 'hallpass-signature': `t=${seconds},v1=${sign(secret, seconds, body)}` }),
  }
}

function sign(secret: string, seconds: number, body: string): string {
  return createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
}

/**
 * What a try came to, at `now`. Any 2xx is success: the protocol's receivers answer 200, and one that says «created» or
 * «accepted» has it as well. A redirect is a failure: what the administrator allowed is the address, not wherever it
 * points to. `chance` is a number from 0 up to 1: it spreads the waits, so that receivers are not asked all at once.
 */
export function outcomeOfAttempt(
  push: Pick<PushDeliveryRecord, 'attempts'>,
  answer: OutboundAnswer,
  { settings, now, chance }: { readonly settings: Settings; readonly now: number; readonly chance: number },
): PushOutcome {
  const status = answer.outcome === 'answered' ? answer.status : null
  if (status !== null && status >= 200 && status <= 299) {
    return { state: 'delivered', at: now, status, error: null }
  }
  const error = problemOf(answer)
  if (answer.outcome === 'refused' || push.attempts >= settings.push_attempts) {
    return { state: 'dead', at: now, status, error }
  }
  const longest = settings.push_retry_max_seconds
  const doubled = settings.push_first_retry_seconds * 2 ** (push.attempts - 1)
  const spread = Math.min(doubled, longest) * (0.8 + 0.4 * chance)
  const asked = answer.outcome === 'answered' ? retryAfterSeconds(answer.retryAfter, now) : 0
  const waitMs = Math.round(Math.max(Math.min(spread, longest), Math.min(asked, longest)) * 1000)
  return { state: 'pending', at: now, nextAttemptAt: now + waitMs, status, error }
}

function problemOf(answer: OutboundAnswer): string {
  if (answer.outcome !== 'answered') return answer.problem
  const { status } = answer
  return status >= 300 && status <= 399
    ? `it answered ${status}: redirects are not followed`
    : `it answered ${status}`
}

/** RFC 9110 §10.2.3: seconds, or a date. 0 for none, and for one that cannot be read. */
function retryAfterSeconds(text: string | undefined, now: number): number {
  if (text === undefined) return 0
  if (/^\d{1,10}$/.test(text)) return Number(text)
  const date = /^[A-Z][a-z]{2,8}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? 0 : Math.max(0, (date - now) / 1000)
}
