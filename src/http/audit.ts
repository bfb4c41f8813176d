/** The audit log as administrators read it. */
import { readAudit } from '../domain/read-audit.ts'
import type { AuditFilter, AuditRecord } from '../domain/store.ts'
import type { Refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { json, refused } from './answer.ts'
import { type Call, type Router, routesOf, type Service } from './service.ts'
import { readCount, readTime } from './typed-parameters.ts'

export function addAuditRoutes(router: Router, service: Service): void {
  routesOf(router, service)('GET', '/hallpass/audit', { who: 'admin' }, async (call) => {
    const asked = readQuestion(call)
    if ('reason' in asked) return refused(call.visit, asked, service.domain.settings.current().title)
    const { entries, nextBefore } = await readAudit(service.domain.store, asked, asked.filter)
    const ids = new Set(entries.flatMap(({ actorUserId }) => actorUserId ?? []))
    const names = await Promise.all(
      [...ids].map(async (id) => [id, (await service.domain.directory.findUserById(id))?.username] as const),
    )
    const usernames = new Map(names)
    return json({ entries: entries.map((entry) => entryJson(entry, usernames)), next_before: nextBefore })
  })
}

interface Question {
  readonly before: number | undefined
  readonly limit: number
  readonly filter: AuditFilter
}

/** What each parameter that looks into an entry's details is called there. */
const textDetails = { user_id: 'userId', client_id: 'clientId', setting: 'name' } as const
const numberDetails = { key_id: 'keyId', api_key_id: 'apiKeyId' } as const

function readQuestion({ sources }: Call): Question | Refusal {
  const read = readParameters(sources, {
    before: { limit: 15, digits: true },
    limit: { limit: 15, digits: true },
    action: { limit: 100 },
    actor_id: { limit: 300 },
    via: { limit: 20 },
    since: { limit: 40 },
    until: { limit: 40 },
    user_id: { limit: 300 },
    client_id: { limit: 2000 },
    setting: { limit: 100 },
    trace_id: { limit: 32 },
    key_id: { limit: 15, digits: true },
    api_key_id: { limit: 15, digits: true },
  })
  if (read.outcome === 'refused') return read.refusal
  const { values } = read
  const numbers: Record<string, number> = {}
  for (const [field, reader] of numeric) {
    const text = values[field]
    const number = text === undefined ? undefined : reader(field, text)
    if (typeof number === 'object') return number
    if (number !== undefined) numbers[field] = number
  }
  const { before, limit = 50, since, until } = numbers
  return {
    before,
    limit: Math.min(Math.max(limit, 1), 200),
    filter: withoutUndefined({
      action: values.action,
      actorUserId: values.actor_id,
      actorVia: values.via,
      traceId: values.trace_id,
      since,
      until,
      details: { ...renamed(values, textDetails), ...renamed(numbers, numberDetails) },
    }),
  }
}

const numeric = [
  ['before', readCount],
  ['limit', readCount],
  ['since', readTime],
  ['until', readTime],
  ['key_id', readCount],
  ['api_key_id', readCount],
] as const

/** The values of `names` that are there, by the names that details have for them. */
function renamed<Value>(
  values: Readonly<Record<string, Value | undefined>>,
  names: Readonly<Record<string, string>>,
): Record<string, Value> {
  const found = Object.entries(names).flatMap(([wire, name]): [string, Value][] => {
    const value = values[wire]
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(found)
}

function withoutUndefined(
  filter: { readonly [Part in keyof AuditFilter]: AuditFilter[Part] | undefined },
): AuditFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
}

function entryJson(
  entry: AuditRecord,
  usernames: ReadonlyMap<string, string | undefined>,
): Record<string, unknown> {
  return {
    sequence: entry.sequence,
    at: new Date(entry.at).toISOString(),
    action: entry.action,
    actor: {
      user_id: entry.actorUserId,
      username: (entry.actorUserId === null ? undefined : usernames.get(entry.actorUserId)) ?? null,
      via: entry.actorVia,
      address: entry.actorAddress,
    },
    details: JSON.parse(entry.details) as unknown,
    trace_id: entry.traceId,
    previous_hash: entry.previousHash,
    hash: entry.hash,
  }
}
