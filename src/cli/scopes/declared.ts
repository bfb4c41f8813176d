import { apiKeyScopeId } from '../../protocol/api-key-scopes.ts'
import { HallpassError } from '../../protocol/errors.ts'
import type { RouteMatcher } from '../../protocol/route-matcher.ts'
import type { HallpassConfig } from '../../server/config.ts'
import { checkConfig, invalidConfig } from '../check-config.ts'
import { readConfig } from '../load-config.ts'
import { commandName } from '../terminal.ts'

/** A scope of the config file, for users' keys or for administrators' API keys. */
export interface DeclaredScope {
  /** As it stands on the wire. */
  readonly name: string
  /** Where it stands in the file. */
  readonly path: string
  /** In the words of the consent page; undefined for a scope of API keys, which has none. */
  readonly label: string | undefined
  readonly routes: readonly RouteMatcher[]
}

/** The scopes of a config: users' first. */
export function declaredScopes(config: HallpassConfig): {
  readonly forUsers: readonly DeclaredScope[]
  readonly forApiKeys: readonly DeclaredScope[]
} {
  return {
    forUsers: (config.scopes ?? []).map(({ name, label, routes }, index) => ({
      name,
      path: `scopes[${index}]`,
      label,
      routes,
    })),
    forApiKeys: (config.apiKeyScopes ?? []).map((scope, index) => ({
      name: apiKeyScopeId(scope),
      path: `apiKeyScopes[${index}]`,
      label: undefined,
      routes: scope.routes,
    })),
  }
}

/** The config file, which must be there. @throws HallpassError `config_not_found`, `configuration_invalid` */
export async function needConfig(path: string | undefined): Promise<{
  readonly path: string
  readonly config: HallpassConfig
}> {
  const read = await readConfig(path)
  if (!read) {
    throw new HallpassError(
      'config_not_found',
      'there is no config file here',
      `write hallpass.config.ts, have one proposed: ${commandName()} scopes import OPENAPI-FILE, or name one: --config FILE`,
    )
  }
  const { config, problems } = checkConfig(read.value)
  if (!config) throw invalidConfig(read.path, problems)
  return { path: read.path, config }
}
