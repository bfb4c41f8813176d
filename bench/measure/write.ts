/** Puts figures into docs/performance.md, each between markers of its own. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Figure, Row } from './figure.ts'
import { asMarkdown } from './report.ts'

const page = new URL('../../docs/performance.md', import.meta.url)

/**
 * Replaces what stands between `<!-- figure NAME -->` and `<!-- end -->`.
 *
 * @throws Error where the page has no such markers
 */
export function writeFigures(figure: Figure, rows: readonly Row[], circumstances: string): void {
  const text = readFileSync(page, 'utf8')
  const begin = `<!-- figure ${figure.name} -->`
  const at = text.indexOf(begin)
  const end = text.indexOf('<!-- end -->', at)
  if (at === -1 || end === -1)
    throw new Error(`docs/performance.md has no place for the figure ${figure.name}`)
  const notes = figure.notes.map((note) => `- ${note}`).join('\n')
  const section = `${begin}\n### ${figure.title}\n\n${asMarkdown(rows)}\n\n${notes}\n\n*${circumstances}*\n`
  writeFileSync(page, text.slice(0, at) + section + text.slice(end))
}
