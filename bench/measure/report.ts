/** The table, for a terminal and for docs/performance.md. */
import type { Ratio, Row } from './figure.ts'
import { short } from './words.ts'

const columns = ['figure', 'reached', 'beside', 'ratio (lowest – highest round)', 'budget', 'met'] as const

/** The rows as aligned text. */
export function asText(rows: readonly Row[]): string {
  const lines = [columns as readonly string[], ...rows.map(cells)].map((line) => line.map(plain))
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The rows as a table in Markdown. */
export function asMarkdown(rows: readonly Row[]): string {
  const line = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(cells(row)))].join('\n')
}

function cells({ figure, measured, beside, ratio, budget, met }: Row): readonly string[] {
  const verdict = met === undefined ? '' : met ? 'yes' : '**no**'
  return [figure, measured, beside, ratio ? ratioText(ratio) : '', budget ?? '', verdict]
}

function ratioText({ median, min, max }: Ratio): string {
  if (min === max) return short(median)
  return `${short(median)} (${short(min)} – ${short(max)})`
}

function plain(text: string): string {
  return text.replaceAll(/[*`]/g, '')
}
