import { hash } from 'node:crypto'
import { isSettingName } from '../protocol/setting-values.ts'
import { type SettingDefinition, settingsCatalogue } from '../protocol/settings.ts'
import type { Actor, DomainEvent } from './events.ts'
import type { AuditRecord } from './store.ts'

/** What stands in the place of a hash before the first entry. */
export const genesisHash: string = '0'.repeat(64)

/**
 * The audit log's next entry. Each entry's hash covers its own fields and the hash of the entry before, so that a line
 * changed or taken out later breaks the chain from there on.
 */
export function auditEntry(
  previous: AuditRecord | undefined,
  actor: Actor,
  event: DomainEvent,
  now: number,
): AuditRecord {
  const { type, ...facts } = event
  const entry = {
    sequence: (previous?.sequence ?? 0) + 1,
    at: now,
    actorUserId: actor.userId,
    actorVia: actor.via,
    actorAddress: actor.address,
    action: type,
    details: JSON.stringify(withoutSecrets(event, facts)),
    traceId: actor.traceId ?? null,
    previousHash: previous?.hash ?? genesisHash,
  }
  return { ...entry, hash: auditHash(entry) }
}

/** The hash that an entry must have. */
export function auditHash(entry: Omit<AuditRecord, 'hash'>): string {
  const covered = [
    entry.sequence,
    entry.at,
    entry.actorUserId,
    entry.actorVia,
    entry.actorAddress,
    entry.action,
    entry.details,
    entry.previousHash,
    // Entries of before there were traces have the hash of eight parts.
    ...(entry.traceId === null ? [] : [entry.traceId]),
  ]
  return hash('sha256', JSON.stringify(covered))
}

/**
 * A key's hash is of use to the caches, and of none to a reader of the log; the value of a secret setting is of use to
 * whoever applies it, and would outlive its change here. Both stay out.
 */
function withoutSecrets(event: DomainEvent, facts: object): object {
  const left = Object.entries(facts).filter(([name]) => name !== 'keyHash')
  if (event.type !== 'setting_changed' || !isSecretSetting(event.name)) return Object.fromEntries(left)
  return Object.fromEntries(left.map(([name, value]) => [name, name === 'name' ? value : told(value)]))
}

function told(value: unknown): string {
  return value === '' ? '' : '(secret)'
}

function isSecretSetting(name: string): boolean {
  const definition: SettingDefinition | undefined = isSettingName(name) ? settingsCatalogue[name] : undefined
  return definition?.secret === true
}
