/**
 * Runs the requirements of docs/protocol.md against a site. Start here: `runSuite` says what happens in which order, a
 * case is in `case.ts`, the site as cases see it in `site.ts`, and the cases in `cases/`, a file for each section.
 */
import type { Case, CaseSection, Need } from './case.ts'
import { allCases } from './cases/all-cases.ts'
import { type Answer, closeConnections } from './exchange.ts'
import { Skipped, Unmet } from './expect.ts'
import { absences, findFeatures } from './features.ts'
import { type CaseResult, exchangeText, type Report } from './report.ts'
import { redirects, Site, type SiteAccess } from './site.ts'

export interface SuiteOptions extends SiteAccess {
  /** Ids of the cases to run; all by default. */
  readonly only?: readonly string[]
  /** Numbers of the sections to run; all by default. */
  readonly sections?: readonly number[]
  /** Whether to stop at the first failure. Default false. */
  readonly failFast?: boolean
  /** Hears of each case as it ends. */
  readonly onResult?: (result: CaseResult) => void
  /** Hears that the run waits, because the site limits requests. */
  readonly onWait?: (seconds: number) => void
  /** Ends the run after the case at hand; what was changed is put back. */
  readonly signal?: AbortSignal
}

/** Runs the suite. Throws only when the site cannot be reached, or its credentials do not work. */
export async function runSuite(options: SuiteOptions): Promise<Report> {
  const startedAt = new Date()
  const site = new Site(options, options.onWait)
  const secrets = [options.adminApiKey, options.password].filter((one) => one !== undefined)
  const results: CaseResult[] = []
  let leftBehind: readonly string[] = []
  try {
    await prepare(site)
    for (const [section, one] of chosen(options)) {
      if (options.signal?.aborted) break
      const result = await runCase(site, section, one, secrets)
      results.push(result)
      options.onResult?.(result)
      if (result.outcome === 'failed' && options.failFast) break
    }
  } finally {
    leftBehind = await putBack(site)
    closeConnections()
  }
  const count = (outcome: CaseResult['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length
  return {
    baseUrl: site.baseUrl,
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    features: [...site.features].sort(),
    totals: { passed: count('passed'), failed: count('failed'), skipped: count('skipped') },
    leftBehind,
    results,
  }
}

/** The titles of the sections, by number. */
export function sectionTitles(): ReadonlyMap<number, string> {
  return new Map(allCases.map(({ section, title }) => [section, title]))
}

/** What is wanted that no case is named like, so that a slip of the pen does not pass for success. */
export function unknownIds(ids: readonly string[]): readonly string[] {
  const known = new Set<string>(allCases.flatMap(({ cases }) => cases.map(({ id }) => id)))
  return ids.filter((id) => !known.has(id))
}

function chosen({ only, sections }: SuiteOptions): readonly (readonly [CaseSection, Case])[] {
  return allCases
    .filter(({ section }) => sections === undefined || sections.includes(section))
    .flatMap((section) => section.cases.map((one) => [section, one] as const))
    .filter(([, { id }]) => only === undefined || only.includes(id))
}

/** Finds out what the site has, turns its limits off where it can, and lists the redirects that the cases use. */
async function prepare(site: Site): Promise<void> {
  if (site.hasAdmin()) {
    const answer = await site.admin().get('/admin/site_settings.json')
    if (answer.status !== 200) {
      throw new Error(`the administrator’s API key does not work here: ${answer.status} ${answer.text}`)
    }
    await site.settings.load()
    if (site.settings.value('disable_rate_limits') !== undefined) {
      await site.settings.set('disable_rate_limits', 'true')
    }
    await site.settings.set('allowed_user_api_auth_redirects', allowedRedirects(site))
    await site.settings.set(
      'allow_user_api_key_scopes',
      'read|write|message_bus|push|notifications|session_info|one_time_password',
    )
  }
  await findFeatures(site)
  site.takeExchanges()
}

function allowedRedirects(site: Site): string {
  const listed = site.settings.value('allowed_user_api_auth_redirects')?.split('|') ?? []
  const own = Object.values(redirects).map((redirect) =>
    redirect === redirects.any ? `${redirect}*` : redirect,
  )
  return [...new Set([...listed.filter((one) => one !== ''), ...own])].join('|')
}

async function runCase(
  site: Site,
  { section }: CaseSection,
  { id, title, needs = [], run }: Case,
  secrets: readonly string[],
): Promise<CaseResult> {
  const startedAt = performance.now()
  const result = (rest: Pick<CaseResult, 'outcome'> & Partial<CaseResult>): CaseResult => ({
    id,
    section,
    title,
    durationMs: Math.round(performance.now() - startedAt),
    ...rest,
  })
  const lacking = needs.map((need) => whyLacking(site, id, need)).find((why) => why !== undefined)
  if (lacking !== undefined) return result({ outcome: 'skipped', reason: lacking })
  site.takeExchanges()
  try {
    await run(site)
    return result({ outcome: 'passed' })
  } catch (error) {
    if (error instanceof Skipped) return result({ outcome: 'skipped', reason: error.message })
    const shown: Answer | undefined = error instanceof Unmet ? error.answer : undefined
    const answer = shown ?? site.takeExchanges().at(-1)
    const reason =
      error instanceof Unmet
        ? error.message
        : `the case broke: ${error instanceof Error ? error.stack : error}`
    return result({
      outcome: 'failed',
      reason,
      ...(answer && { exchange: exchangeText(answer, secrets) }),
    })
  }
}

function whyLacking(site: Site, id: string, need: Need): string | undefined {
  if (id.startsWith('A-') && !site.features.has('hallpass')) return absences.hallpass
  switch (need) {
    case 'admin':
    case 'second user':
      return site.hasAdmin() ? undefined : 'it needs an administrator’s API key'
    case 'user':
      return site.hasUser() ? undefined : 'it needs a user, or an administrator’s API key'
    case 'push target':
      return site.pushTarget() === undefined
        ? 'it needs an address that the site may push to (--push-target)'
        : undefined
    default:
      return site.features.has(need) ? undefined : absences[need]
  }
}

async function putBack(site: Site): Promise<readonly string[]> {
  if (!site.hasAdmin()) return []
  try {
    await site.removeUsers()
    return (await site.settings.restore()).map((name) => `the setting ${name}`)
  } catch (error) {
    return [`something: ${error instanceof Error ? error.message : String(error)}`]
  }
}
