/** What a run comes to: as data, and as text for a terminal. */
import type { Answer } from './exchange.ts'

export type Outcome = 'passed' | 'failed' | 'skipped'

export interface CaseResult {
  readonly id: string
  readonly section: number
  readonly title: string
  readonly outcome: Outcome
  /** Why it failed or was skipped. */
  readonly reason?: string
  readonly durationMs: number
  /** The exchange that shows the failure, secrets that were given left out. */
  readonly exchange?: ExchangeText
}

export interface ExchangeText {
  readonly request: string
  readonly answer: string
}

/** The JSON report; conformance/README.md tells its fields. */
export interface Report {
  readonly baseUrl: string
  readonly startedAt: string
  readonly durationMs: number
  readonly features: readonly string[]
  readonly totals: { readonly passed: number; readonly failed: number; readonly skipped: number }
  /** What could not be put back as it was found. */
  readonly leftBehind: readonly string[]
  readonly results: readonly CaseResult[]
}

/** The table, section by section, the totals, and each failure in detail. */
export function reportText(report: Report, sectionTitles: ReadonlyMap<number, string>): string {
  const lines: string[] = []
  let section = -1
  for (const result of report.results) {
    if (result.section !== section) {
      section = result.section
      lines.push('', `§${section} ${sectionTitles.get(section) ?? ''}`)
    }
    const reason = result.reason === undefined ? '' : ` (${firstLine(result.reason)})`
    lines.push(
      `  ${result.id.padEnd(6)} ${result.outcome.padEnd(8)} ${result.title}${
        result.outcome === 'skipped' ? reason : ''
      }`,
    )
  }
  const failed = report.results.filter(({ outcome }) => outcome === 'failed')
  for (const result of failed) lines.push('', ...failureLines(result))
  const { totals } = report
  lines.push('', `the site has: ${report.features.join(', ') || 'none of the optional parts'}`)
  for (const thing of report.leftBehind) lines.push(`left behind: ${thing}`)
  lines.push(
    `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped in ${(report.durationMs / 1000).toFixed(1)} s`,
  )
  return `${lines.join('\n').trimStart()}\n`
}

/** An exchange as text. `secrets` are left out of it. */
export function exchangeText({ request, ...answer }: Answer, secrets: readonly string[]): ExchangeText {
  const { pathname, search } = new URL(request.url)
  const asked = [`${request.method} ${pathname}${search}`, ...headerLines(request.headers)]
  const body = typeof request.body === 'string' ? request.body : request.body && '(bytes)'
  const names = ['content-type', 'location', 'retry-after', 'set-cookie']
  const shown = names.flatMap((name) => {
    const value = answer.header(name)
    return value === undefined ? [] : [`${name}: ${value}`]
  })
  const clean = (text: string): string =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret, '(secret)'), shortened(text))
  return {
    request: clean([...asked, ...(body ? ['', body] : [])].join('\n')),
    answer: clean([String(answer.status), ...shown, '', answer.text].join('\n')),
  }
}

function failureLines({ id, title, reason = '', exchange }: CaseResult): readonly string[] {
  const lines = [`${id} failed: ${title}`, ...indented(reason)]
  if (exchange) lines.push('  request:', ...indented(exchange.request, 4))
  if (exchange) lines.push('  answer:', ...indented(exchange.answer, 4))
  return lines
}

function headerLines(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
}

function indented(text: string, by = 2): readonly string[] {
  return text.split('\n').map((line) => ' '.repeat(by) + line)
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}

function shortened(text: string): string {
  return text.length > 1500 ? `${text.slice(0, 1500)}… (${text.length} characters)` : text
}
