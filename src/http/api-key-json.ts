/** API keys as JSON (protocol §11.1, §11.2, §11.7). */
import type { Directory } from '../domain/ports.ts'
import type { ApiKeyRecord, GrantedApiKeyScope } from '../domain/store.ts'
import type { User } from '../domain/user.ts'
import { type ApiKeyScopeCatalogue, apiKeyScopeId } from '../protocol/api-key-scopes.ts'
import { basicUserJson } from './user-json.ts'

/** The keys of a list. */
export async function listedApiKeysJson(
  directory: Directory,
  records: readonly ApiKeyRecord[],
): Promise<readonly Record<string, unknown>[]> {
  const personOf = await findPeople(directory, records)
  return records.map((record) => ({
    id: record.id,
    truncated_key: record.truncatedKey,
    description: record.description,
    created_at: isoTime(record.createdAt),
    last_used_at: isoTime(record.lastUsedAt),
    revoked_at: isoTime(record.revokedAt),
    scope_mode: record.scopeMode,
    user: personOf(record.userId),
    created_by: personOf(record.createdById),
  }))
}

/** One key, with all that is known of it but its text. */
export async function apiKeyJson(
  directory: Directory,
  catalogue: ApiKeyScopeCatalogue,
  record: ApiKeyRecord,
): Promise<Record<string, unknown>> {
  const [listed] = await listedApiKeysJson(directory, [record])
  return {
    ...listed,
    updated_at: isoTime(record.updatedAt),
    allowed_ips: record.allowedIps.length === 0 ? null : record.allowedIps,
    api_key_scopes: record.scopes.map((scope) => grantedScopeJson(catalogue, scope)),
  }
}

/** A scope on a key. One that the catalogue does not hold any more permits nothing: its `urls` are empty. */
export function grantedScopeJson(
  catalogue: ApiKeyScopeCatalogue,
  granted: GrantedApiKeyScope,
): Record<string, unknown> {
  const scope = catalogue.find(apiKeyScopeId(granted))
  return {
    resource: granted.resource,
    action: granted.action,
    key: granted.action,
    parameters: scope?.parameters ?? [],
    urls: scope?.urls ?? [],
    allowed_parameters: granted.allowedParameters,
  }
}

/** The catalogue by resource, as the protocol prints it. */
export function scopeCatalogueJson(catalogue: ApiKeyScopeCatalogue): Record<string, unknown> {
  const byResource = Object.groupBy(catalogue.all, ({ resource }) => resource)
  return Object.fromEntries(
    Object.entries(byResource).map(([resource, scopes = []]) => [
      resource,
      scopes.map(({ id, action, parameters, urls }) => ({
        scope_id: id,
        key: action,
        name: action.replaceAll('_', ' '),
        params: parameters.length === 0 ? null : parameters,
        urls,
      })),
    ]),
  )
}

/** Each user is looked up once, however many keys they have or made. */
async function findPeople(
  directory: Directory,
  records: readonly ApiKeyRecord[],
): Promise<(id: string | null) => Record<string, unknown> | null> {
  const ids = new Set(records.flatMap(({ userId, createdById }) => [userId, createdById]))
  const people = new Map<string | null, User>()
  for (const id of ids) {
    const user = id === null ? undefined : await directory.findUserById(id)
    if (user) people.set(id, user)
  }
  return (id) => {
    const user = people.get(id)
    return user ? basicUserJson(user) : null
  }
}

function isoTime(time: number): string
function isoTime(time: number | null): string | null
function isoTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
