import { apiKeyScopeId } from '../../protocol/api-key-scopes.ts'
import { builtInApiKeyScopes } from '../../protocol/built-in-api-key-scopes.ts'
import { HallpassError } from '../../protocol/errors.ts'
import type { RouteMatcher } from '../../protocol/route-matcher.ts'
import { createScopeCatalogue } from '../../protocol/scopes.ts'
import type { HallpassConfig } from '../../server/config.ts'
import { usageError } from '../failure.ts'
import { loadConfig } from '../load-config.ts'
import { note, say } from '../terminal.ts'
import { count } from './count.ts'
import { type LogFormat, logFormats, readLogLine } from './log-line.ts'
import { describePermission, type Permission, permissionsOf } from './permission.ts'
import { readLog } from './read-log.ts'
import { type Candidate, smallestSet } from './smallest-set.ts'
import { Traffic, type TrafficReport } from './traffic.ts'

interface LearnFlags {
  readonly config?: string
  readonly from: readonly string[]
  readonly format: string
  readonly key?: string
  readonly apiKeys?: boolean
  readonly limit: string
}

/** `hallpass scopes learn`. @throws HallpassError `log_unreadable`, `log_not_understood` */
export async function learnScopes(flags: LearnFlags): Promise<void> {
  const format = logFormats.find((one) => one === flags.format)
  if (!format) throw usageError(`--format takes one of ${logFormats.join(', ')}`)
  if (!/^[1-9][0-9]{0,5}$/.test(flags.limit)) throw usageError('--limit takes a whole number from 1 on')
  const scopes = candidateScopes(await loadConfig(flags.config), flags.apiKeys ?? false)
  const permissions: Permission[] = []
  const candidates: Candidate[] = scopes.map(({ name, routes }) => {
    const first = permissions.length
    permissions.push(...permissionsOf(routes))
    return { name, permissions: permissions.slice(first).map((_, index) => first + index) }
  })
  const traffic = new Traffic(permissions)
  const lines = await readLines(flags.from, format, flags.key, traffic)
  if (lines.understood === 0) {
    const isEmpty = lines.broken === 0
    const problem = isEmpty ? 'it is empty' : `line ${lines.firstBroken[0]}`
    const remedy = isEmpty
      ? 'name a log with requests in it: the one before it may have been put away as access.log.1'
      : `name its format: --format ${logFormats.slice(1).join(' or ')}`
    throw new HallpassError('log_not_understood', `no line of the log tells of a request: ${problem}`, remedy)
  }
  const report = traffic.report()
  sayTraffic(report, lines, flags.key)
  if (report.routes.length === 0) {
    sayNothingJudged(lines, flags.key)
    process.exitCode = 1
    return
  }
  sayUncovered(report, Number(flags.limit))
  sayProposal(report, candidates, permissions)
}

/** Scopes of every path, such as read, would cover everything, and are left aside: nobody learns from them. */
function candidateScopes(
  config: HallpassConfig,
  forApiKeys: boolean,
): readonly { readonly name: string; readonly routes: readonly RouteMatcher[] }[] {
  const all = forApiKeys
    ? [...builtInApiKeyScopes, ...(config.apiKeyScopes ?? [])].map((scope) => ({
        name: apiKeyScopeId(scope),
        routes: scope.routes,
      }))
    : createScopeCatalogue(config.scopes).all
  return all.filter(({ routes }) => routes.every(({ paths }) => paths !== undefined))
}

interface Lines {
  understood: number
  /** Requests beside which the log names a key or another caller. */
  named: number
  broken: number
  /** `17: it is not JSON`. */
  readonly firstBroken: string[]
  /** Requests of others than the key that was asked for. */
  others: number
}

async function readLines(
  files: readonly string[],
  format: LogFormat,
  key: string | undefined,
  traffic: Traffic,
): Promise<Lines> {
  const lines: Lines = { understood: 0, named: 0, broken: 0, firstBroken: [], others: 0 }
  for (const file of files) {
    const progress = progressLine(file)
    await readLog(
      file,
      (line, number) => {
        if (line?.trim() === '') return
        const read = line === undefined ? 'it is too long' : readLogLine(line, format)
        if (typeof read === 'string') {
          lines.broken += 1
          const where = files.length === 1 ? String(number) : `${number} of ${file}`
          if (lines.firstBroken.length < 5) lines.firstBroken.push(`${where}: ${read}`)
          return
        }
        lines.understood += 1
        if (read.callers.length > 0) lines.named += 1
        if (key !== undefined && !read.callers.includes(key)) lines.others += 1
        else traffic.add(read)
      },
      progress.show,
    ).finally(progress.clear)
  }
  return lines
}

/** One line on the error stream, where that is a terminal, which goes again. */
function progressLine(file: string): { show: (read: number, total?: number) => void; clear: () => void } {
  if (!process.stderr.isTTY) return { show: () => {}, clear: () => {} }
  let shownAt = 0
  return {
    show: (read, total) => {
      if (performance.now() - shownAt < 200) return
      shownAt = performance.now()
      const megabytes = `${(read / 1e6).toFixed(0)} MB`
      const share = total ? `${Math.min(100, Math.floor((100 * read) / total))} %` : megabytes
      process.stderr.write(`\r\u001b[Kreading ${file}: ${share}`)
    },
    clear: () => void process.stderr.write('\r\u001b[K'),
  }
}

function sayTraffic(report: TrafficReport, lines: Lines, key: string | undefined): void {
  say(`${count(report.requests, 'request')}${key === undefined ? '' : ` of ${key}`}`)
  if (key !== undefined) say(`  left out: ${lines.others} of others, or of nobody that the log names`)
  if (report.leftOut > 0)
    say(`  left out: ${report.leftOut} for what is not there (400, 404, 405, 410, 414) and preflights`)
  if (report.ambiguous > 0)
    say(`  ${report.ambiguous} with a path that can be read in two ways: no key may send them`)
  if (report.beyondMemory > 0) say(`  ${report.beyondMemory} of routes that are too many to tell apart`)
  if (lines.broken === 0) return
  note(`${count(lines.broken, 'line')} ${lines.broken === 1 ? 'was' : 'were'} not understood`)
  for (const one of lines.firstBroken) note(`  line ${one}`)
  if (lines.broken > lines.firstBroken.length) note('  and others')
}

/** Where there was nothing to judge, so that nobody takes it for a good sign. */
function sayNothingJudged(lines: Lines, key: string | undefined): void {
  say('')
  say('no request was judged, so this says nothing about your scopes')
  if (key === undefined || lines.others === 0) return
  if (lines.named > 0) {
    say(`the log names callers, and never ${key}: is it the key’s id, as in X-Hallpass-Key-Id?`)
    return
  }
  say('the log names no keys. have your proxy write the header X-Hallpass-Key-Id of Hallpass’s answers')
  say('into it: docs/scopes-of-your-own.md, «Learning from traffic», has the lines for nginx')
}

function sayUncovered({ routes }: TrafficReport, limit: number): void {
  const uncovered = routes.filter(({ permissions }) => permissions.length === 0)
  say('')
  if (uncovered.length === 0) {
    say('every route is covered by a scope')
    return
  }
  say(`no scope of its own covers ${count(uncovered.length, 'route')}:`)
  const width = String(uncovered[0]?.requests ?? 0).length
  for (const { name, requests } of uncovered.slice(0, limit))
    say(`  ${String(requests).padStart(width)}  ${name}`)
  if (uncovered.length > limit) say(`  and ${uncovered.length - limit} more: --limit ${uncovered.length}`)
}

function sayProposal(
  { routes }: TrafficReport,
  candidates: readonly Candidate[],
  permissions: readonly Permission[],
): void {
  const chosen = smallestSet(routes, candidates)
  if (chosen.length === 0) return
  say('')
  say(`for the others these scopes are enough: ${chosen.map(({ name }) => name).join(',')}`)
  for (const { name, requests, excess } of chosen) {
    say(`  ${name}  ${count(requests, 'request')}`)
    for (const index of excess) {
      const permission = permissions[index]
      if (permission) say(`    in excess: ${describePermission(permission)}`)
    }
  }
}
