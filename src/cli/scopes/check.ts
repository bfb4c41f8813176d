import type { RouteMatcher } from '../../protocol/route-matcher.ts'
import { say, strong } from '../terminal.ts'
import { count } from './count.ts'
import { type DeclaredScope, declaredScopes, needConfig } from './declared.ts'
import { offeringAll, scopeWarnings } from './warnings.ts'

/** `hallpass scopes check`. @throws HallpassError `configuration_invalid` with all that is wrong */
export async function checkScopes(flags: { readonly config?: string }): Promise<void> {
  const { path, config } = await needConfig(flags.config)
  const { forUsers, forApiKeys } = declaredScopes(config)
  say(`${path}: ${count(forUsers.length, 'scope')}, ${count(forApiKeys.length, 'scope')} of API keys`)
  for (const scope of [...forUsers, ...forApiKeys]) sayScope(scope)
  const warnings = scopeWarnings(config)
  say('')
  say(warnings.length === 0 ? 'nothing looks unintended' : `${count(warnings.length, 'warning')}:`)
  for (const warning of warnings) say(`  ${warning}`)
  if (forUsers.length > 0 && config.settings?.allow_user_api_key_scopes === undefined) {
    say('')
    say('apps can ask for these scopes once the setting allow_user_api_key_scopes lists them, such as:')
    say(`  ${offeringAll(config)}`)
    say('add read or write to it only for apps that may ask for every route')
  }
}

function sayScope(scope: DeclaredScope): void {
  say('')
  say(`${strong(scope.name)}${scope.label === undefined ? '' : `  ${scope.label}`}`)
  const width = Math.max(0, ...scope.routes.map((route) => methodsOf(route).length))
  for (const line of scope.routes.flatMap((route) => routeLines(route, width))) say(`  ${line}`)
}

function routeLines(route: RouteMatcher, width: number): readonly string[] {
  const { paths = ['every path'], formats, params = [], pathParams = [] } = route
  const narrowing = [...new Set([...params, ...pathParams])].join(', ')
  const suffix = formats === undefined ? '' : `.${formats.join('|')}`
  const lines = paths.map((path) => `${methodsOf(route).padEnd(width)}  ${path}${suffix}`)
  return narrowing === '' ? lines : [...lines, `${' '.repeat(width)}  can be narrowed by ${narrowing}`]
}

function methodsOf({ methods }: RouteMatcher): string {
  return methods?.join(', ') ?? 'every method'
}
