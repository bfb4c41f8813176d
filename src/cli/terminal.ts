/** How the command speaks: calm, lower-case, one idea a line. Answers go to stdout, all else to stderr. */
import { styleText } from 'node:util'

/** Writes a line of what was asked for. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Writes a line about what goes on. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** `text`, made to stand out on stdout where that is a terminal with colours and `NO_COLOR` is not set. */
export function strong(text: string): string {
  return styleText('bold', text, { stream: process.stdout })
}

/** How the user calls this command, for lines that say what to run next. */
export function commandName(): string {
  return process.env.npm_command === 'exec' ? 'npx hallpass' : 'hallpass'
}

/** A moment, to the minute: `2026-06-01 12:00 UTC`. `iso` is ISO 8601. */
export function describeInstant(iso: string): string {
  const at = new Date(iso)
  return Number.isNaN(at.getTime()) ? iso : `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** Reads all of stdin. */
export async function readStdin(): Promise<string> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) text += chunk
  return text
}
