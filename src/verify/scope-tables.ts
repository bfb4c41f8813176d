import type { Domain } from '../domain/ports.ts'
import type { ApiKeyRecord, GrantedScope } from '../domain/store.ts'
import { compileApiKeyScopes } from '../protocol/api-key-scopes.ts'
import { compileScopes } from '../protocol/scopes.ts'
import type { KnownKey } from './key-cache.ts'

type Decide<Kind extends KnownKey['kind']> = Extract<KnownKey, { kind: Kind }>['decide']

/**
 * Scopes ready to decide by, made once for all keys that have the same: a site has few sets of scopes, and many keys. What
 * comes back with them takes the place of a key's own list, which is then needed no more.
 */
export interface ScopeTables {
  userApiKey(scopes: readonly GrantedScope[]): {
    readonly scopes: readonly GrantedScope[]
    readonly decide: Decide<'user_api_key'>
  }
  apiKey(key: Pick<ApiKeyRecord, 'scopeMode' | 'scopes'>): {
    readonly scopes: ApiKeyRecord['scopes']
    readonly decide: Decide<'api_key'>
  }
}

/** How many sets are remembered. Scopes may be narrowed in as many ways as there are keys; then all begin anew. */
const capacity = 10_000

export function createScopeTables({
  scopes: catalogue,
  apiKeyScopes,
}: Pick<Domain, 'scopes' | 'apiKeyScopes'>): ScopeTables {
  const ofUserApiKeys = new Map<string, ReturnType<ScopeTables['userApiKey']>>()
  const ofApiKeys = new Map<string, ReturnType<ScopeTables['apiKey']>>()
  return {
    userApiKey: (scopes) =>
      remembered(ofUserApiKeys, JSON.stringify(scopes), () => ({
        scopes,
        decide: compileScopes(catalogue, scopes),
      })),
    apiKey: ({ scopeMode, scopes }) =>
      remembered(ofApiKeys, JSON.stringify([scopeMode, scopes]), () => ({
        scopes,
        decide: compileApiKeyScopes(apiKeyScopes, scopeMode, scopes),
      })),
  }
}

function remembered<Table>(tables: Map<string, Table>, name: string, make: () => Table): Table {
  const known = tables.get(name)
  if (known) return known
  if (tables.size >= capacity) tables.clear()
  const table = make()
  tables.set(name, table)
  return table
}
