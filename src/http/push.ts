/** The outbox of pushes as administrators see it. What is pushed is its user’s, and is not shown. */
import { retryPushDelivery } from '../domain/push-deliveries.ts'
import type { PushDeliveryRecord, PushState } from '../domain/store.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { json, refused } from './answer.ts'
import { actorOf, type Call, type Router, routesOf, type Service } from './service.ts'
import { readCount } from './typed-parameters.ts'

export function addPushRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  const admin = { who: 'admin' } as const
  route('GET', '/hallpass/push', admin, (call) => list(service, call))
  route('POST', '/hallpass/push/:id/retry', admin, (call) => retry(service, call))
}

const states: readonly PushState[] = ['pending', 'delivered', 'dead']

async function list(service: Service, call: Call): Promise<Response> {
  const asked = readQuestion(call)
  if ('reason' in asked) return refuse(service, call, asked)
  const { pushDeliveries } = service.domain.store
  // One more than is shown tells whether there is more.
  const found = await pushDeliveries.list({ ...asked, limit: asked.limit + 1 })
  const shown = found.slice(0, asked.limit)
  return json({
    push_deliveries: shown.map(pushJson),
    next_before: found.length > shown.length ? (shown.at(-1)?.id ?? null) : null,
    counts: await pushDeliveries.counts(),
  })
}

async function retry(service: Service, call: Call): Promise<Response> {
  const segment = call.segment('id')
  const id = /^[1-9][0-9]{0,14}$/.test(segment) ? Number(segment) : undefined
  if (id === undefined) return refuse(service, call, refusal('not_found', { what: 'such push' }))
  const outcome = await retryPushDelivery(service.domain, actorOf(call), id)
  if (outcome.outcome === 'refused') return refuse(service, call, outcome.refusal)
  const push = await service.domain.store.pushDeliveries.find(id)
  service.pushQueued()
  return json({ success: 'OK', ...(push ? { push_delivery: pushJson(push) } : {}) })
}

interface Question {
  readonly state: PushState | undefined
  readonly targetUrl: string | undefined
  readonly before: number | undefined
  readonly limit: number
}

function readQuestion({ sources }: Call): Question | Refusal {
  const read = readParameters(sources, {
    state: { limit: 20 },
    target: { limit: 2000 },
    before: { limit: 15, digits: true },
    limit: { limit: 15, digits: true },
  })
  if (read.outcome === 'refused') return read.refusal
  const { values } = read
  const state = states.find((one) => one === values.state)
  if (values.state !== undefined && state === undefined) {
    const problem = 'no push is in such a state'
    return refusal('parameter_invalid', { field: 'state', problem, expected: states.join(', ') })
  }
  const before = values.before === undefined ? undefined : readCount('before', values.before)
  const limit = readCount('limit', values.limit ?? '50')
  if (typeof before === 'object') return before
  if (typeof limit === 'object') return limit
  return { state, targetUrl: values.target, before, limit: Math.min(Math.max(limit, 1), 200) }
}

function pushJson(push: PushDeliveryRecord): Record<string, unknown> {
  return {
    id: push.id,
    target: push.targetUrl,
    user_id: push.userId,
    state: push.state,
    created_at: isoTime(push.createdAt),
    attempts: push.attempts,
    next_attempt_at: push.state === 'pending' ? isoTime(push.nextAttemptAt) : null,
    finished_at: push.finishedAt === null ? null : isoTime(push.finishedAt),
    last_status: push.lastStatus,
    last_error: push.lastError,
  }
}

function isoTime(time: number): string {
  return new Date(time).toISOString()
}

function refuse(service: Service, call: Call, why: Refusal): Response {
  return refused(call.visit, why, service.domain.settings.current().title)
}
