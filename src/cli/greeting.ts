import type { FirstAdministrator } from './first-administrator.ts'
import { siteKind } from './guarded-site.ts'
import { shownHost } from './listen-or-explain.ts'
import type { ServeOptions } from './serve-options.ts'

/** What is known once the server answers. */
export interface Started {
  /** Where the data is, without a password. */
  readonly location: string
  /** Undefined where there was one already. */
  readonly first: FirstAdministrator | undefined
  /** Where metrics are read without a credential; undefined for nowhere. */
  readonly metrics: { readonly port: number } | undefined
  /** Whether limits count together with those of others. */
  readonly limitsShared: boolean
}

/** What `hallpass serve` says once it answers. */
export function greeting(
  address: string,
  options: ServeOptions,
  { location, first, metrics, limitsShared }: Started,
): string {
  const metricsHost = options.observing.metricsListener?.host ?? options.host
  // With a proxy that names people there is no page to type it on.
  const isOfUse = options.signIn?.method !== 'proxy-header'
  const rows: readonly (readonly [name: string, value: string | false | undefined])[] = [
    ['address', address],
    ['administrator', first?.username],
    ['password', isOfUse && first?.password && `${first.password}   (shown this once)`],
    ['data', options.passedOver ? `${location}   (${options.passedOver} is passed over)` : location],
    ['in front of', options.upstream],
    ['workers', options.workers > 1 ? String(options.workers) : undefined],
    ['limits', limitsOf(options, limitsShared)],
    ['metrics', metrics && `http://${shownHost(metricsHost)}:${metrics.port}/metrics`],
  ]
  const table = rows.flatMap(([name, value]) => (value ? [`  ${name.padEnd(15)}${value}`] : [])).join('\n')
  return `hallpass is running

${table}

${siteKind(options) === 'forum' ? nextSteps(address) : ''}ctrl-c stops it
`
}

/** Who counts together, where there may be more than one. */
function limitsOf({ redis, workers, database }: ServeOptions, isShared: boolean): string | undefined {
  if (redis !== undefined) {
    return isShared
      ? 'counted with all nodes on the same Redis'
      : 'NOT counted with other nodes: Redis does not answer as it should; the log says why'
  }
  if (workers > 1) return 'counted by these workers together; other machines count alone without REDIS_URL'
  return database === undefined
    ? undefined
    : 'counted by this process alone; with others on the same database, share them by REDIS_URL'
}

function nextSteps(address: string): string {
  return `next, in another terminal:

  npx hallpass login ${address} --scopes read,write --name "My app"
  npx hallpass call POST /posts.json title="Hello from an app" raw="Written with a user API key."
  npx hallpass logout

`
}
