/** A line of the log for people: when, how bad, what, and the facts. */
import { styleText } from 'node:util'

/** Not among the facts: who reads a terminal knows the process, and the others have places of their own. */
const unsaid: ReadonlySet<string> = new Set(['level', 'time', 'event', 'pid', 'message', 'error'])

/** Turns a line of JSON into one of text, with what ends it. Nothing in it can begin a line of its own. */
export function textLine(json: string): string {
  const line = JSON.parse(json) as Readonly<Record<string, unknown>>
  const { level, time, event, message, error } = line
  const facts = Object.entries(line)
    .filter(([name, value]) => !unsaid.has(name) && value !== null)
    .map(([name, value]) => `${name}=${plain(value)}`)
  const words = [plain(event), ...(message === undefined ? [] : [plain(message)]), ...facts]
  const fault = isRecord(error) ? `\n${indented(String(error.stack ?? error.message))}` : ''
  const at = String(time).slice(11, 19)
  return `${at} ${styled(String(level))} ${words.join('  ')}${fault}\n`
}

function styled(level: string): string {
  const colour = ({ warn: 'yellow', error: 'red', debug: 'dim' } as const)[level] ?? 'reset'
  return styleText(colour, level.padEnd(5), { stream: process.stderr })
}

/** As it is where it is harmless, else as JSON with every control character escaped. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(text) ? text : `"${escapeControls(text)}"`
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${escapeControls(line)}`)
    .join('\n')
}

function escapeControls(text: string): string {
  return text.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
