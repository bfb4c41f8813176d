import type { OwnScope } from '../../protocol/scopes.ts'

/** The text of a config file in TypeScript. `source` is where the scopes are from. */
export function printTypeScript(scopes: readonly OwnScope[], source: string): string {
  return `// Proposed by hallpass scopes import from ${source}. Read every line: what stands here is what apps may do.
import { defineConfig } from 'hallpass/server'

export default defineConfig({
  scopes: ${literal(scopes, '  ')},
})
`
}

/** The same in JSON. */
export function printJson(scopes: readonly OwnScope[]): string {
  const $schema = './node_modules/hallpass/hallpass.schema.json'
  return `${JSON.stringify({ $schema, scopes }, null, 2)}\n`
}

/** A value as people write it: short lists of texts on one line. */
function literal(value: unknown, indent: string): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    const items = value.map((item) => literal(item, inner))
    const line = `[${items.join(', ')}]`
    if (value.every((item) => typeof item === 'string') && line.length + inner.length < 90) return line
    return `[\n${items.map((item) => `${inner}${item},\n`).join('')}${indent}]`
  }
  const members = Object.entries(value).map(
    ([name, member]) => `${inner}${name}: ${literal(member, inner)},\n`,
  )
  return `{\n${members.join('')}${indent}}`
}

function quoted(text: string): string {
  const inDouble = JSON.stringify(text)
  if (text.includes("'") && !text.includes('"')) return inDouble
  return `'${inDouble.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
