/** What `hallpass call` sends, from the fields on its command line. */
import { usageError } from './failure.ts'

/** A field, as `name=text` or `name:=json` gives it. */
export interface Field {
  readonly name: string
  readonly value: unknown
}

/** Reads `title="A text"` as a text, `id:=7` as JSON. @throws CommanderError for anything else */
export function parseField(text: string): Field {
  const [, name, sign, value] = /^([^=:]+)(:?=)(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) {
    throw usageError(`${text} is no field. write name=text, or name:=json as in id:=7 or tags:='["a","b"]'`)
  }
  return { name, value: sign === '=' ? value : parseJson(value, `the value of ${name}`) }
}

/** Fields as a JSON body; a name that comes several times, or ends in `[]`, becomes a list. */
export function bodyOf(fields: readonly Field[]): Readonly<Record<string, unknown>> {
  const body: Record<string, unknown> = {}
  for (const [name, group] of Map.groupBy(fields, ({ name }) => name)) {
    const values = group.map(({ value }) => value)
    const isList = name.endsWith('[]')
    body[isList ? name.slice(0, -2) : name] = isList || values.length > 1 ? values : values[0]
  }
  return body
}

/** Fields in the query of `path`, behind what the path has there already. */
export function withQuery(path: string, fields: readonly Field[]): string {
  if (fields.length === 0) return path
  const query = new URLSearchParams(fields.map(({ name, value }) => [name, queryText(value)]))
  return `${path}${path.includes('?') ? '&' : '?'}${query}`
}

/** @throws CommanderError naming `what` when `text` is not JSON */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw usageError(`${what} is not json: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** `Name: value` as a header. @throws CommanderError for anything else */
export function parseHeader(text: string): readonly [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9a-z-]+):\s*(.*)$/i.exec(text) ?? []
  if (name === undefined || value === undefined) {
    throw usageError(`${text} is no header. write it as 'Name: value'`)
  }
  return [name, value]
}

function queryText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
