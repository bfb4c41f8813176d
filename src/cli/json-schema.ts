/** As much of JSON Schema (draft 2020-12) as the config file needs, and a reader of it that names every problem. */
import { editDistance } from './edit-distance.ts'

/** A schema. `expected` is ours and not published: what to give, in words, where the keywords do not say it well. */
export interface JsonSchema {
  readonly description?: string
  /** Of several, the value is of one. */
  readonly type?: JsonType | readonly JsonType[]
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  /** Absent: whatever has another name is taken as it is. */
  readonly additionalProperties?: false | JsonSchema
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly enum?: readonly string[]
  readonly const?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  /** Objects that are told apart by a member whose value is `const`, the first of each one's `properties`. */
  readonly oneOf?: readonly JsonSchema[]
  /** True for a value that no message may repeat. */
  readonly writeOnly?: true
  readonly expected?: string
}

type JsonType = 'string' | 'integer' | 'boolean' | 'array' | 'object'

/** Something in a file that cannot be used. */
export interface ConfigProblem {
  /** The member, such as `scopes[0].routes[1].methods`; empty for the whole. */
  readonly path: string
  /** What is wrong with it. */
  readonly problem: string
  /** What to give in its place. */
  readonly expected: string
}

/** Everything in `value` that the schema does not allow, in the order of the value. */
export function schemaProblems(schema: JsonSchema, value: unknown, path = ''): readonly ConfigProblem[] {
  if (schema.oneOf) return oneOfProblems(schema.oneOf, value, path)
  const found = problemOf(schema, value)
  if (found !== undefined) return [{ path, problem: found, expected: describe(schema) }]
  if (Array.isArray(value)) {
    const { items } = schema
    return items ? value.flatMap((item, index) => schemaProblems(items, item, `${path}[${index}]`)) : []
  }
  return isObject(value) ? memberProblems(schema, value, path) : []
}

/** The path of a member of what is at `path`. */
export function memberPath(path: string, name: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}

/** Whether a value is an object with members, and neither an array nor null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function memberProblems(
  schema: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  path: string,
): readonly ConfigProblem[] {
  const { properties = {}, required = [], additionalProperties } = schema
  const missing = required.filter((name) => value[name] === undefined)
  return [
    ...missing.map((name) => ({
      path: memberPath(path, name),
      problem: 'is missing',
      expected: describe(properties[name] ?? {}),
    })),
    ...Object.entries(value).flatMap(([name, member]) => {
      // As in TypeScript, a member that is undefined is none.
      if (member === undefined) return []
      const at = memberPath(path, name)
      const known = Object.hasOwn(properties, name) ? properties[name] : undefined
      if (known) return schemaProblems(known, member, at)
      if (additionalProperties !== false) {
        return additionalProperties ? schemaProblems(additionalProperties, member, at) : []
      }
      const expected = nearest(name, Object.keys(properties))
      return [{ path: at, problem: 'there is no such member', expected }]
    }),
  ]
}

function oneOfProblems(
  alternatives: readonly JsonSchema[],
  value: unknown,
  path: string,
): readonly ConfigProblem[] {
  const [key = ''] = Object.keys(alternatives[0]?.properties ?? {})
  const constants = alternatives.map((one) => one.properties?.[key]?.const ?? '')
  if (!isObject(value)) {
    return [{ path, problem: `is ${show(value)}`, expected: `an object with the member ${key}` }]
  }
  const chosen = alternatives.find((one) => one.properties?.[key]?.const === value[key])
  if (chosen) return schemaProblems(chosen, value, path)
  const problem = value[key] === undefined ? 'is missing' : `is ${show(value[key])}`
  return [{ path: memberPath(path, key), problem, expected: `one of ${constants.join(', ')}` }]
}

function problemOf(schema: JsonSchema, value: unknown): string | undefined {
  const shown = schema.writeOnly ? 'something else' : show(value)
  if (schema.type !== undefined && !isOfType(schema.type, value)) return `is ${shown}`
  if (typeof value === 'string') {
    const { pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema
    if (schema.const !== undefined && value !== schema.const) return `is ${shown}`
    if (schema.enum && !schema.enum.includes(value)) return `is ${shown}`
    const length = [...value].length
    if (length < minLength) return value === '' ? 'is empty' : 'is too short'
    if (length > maxLength) return 'is too long'
    if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return `is ${shown}`
  }
  if (typeof value === 'number') {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema
    if (value < minimum || value > maximum) return `is ${shown}`
  }
  if (Array.isArray(value) && value.length < (schema.minItems ?? 0)) return 'is empty'
  return undefined
}

function isOfType(type: JsonType | readonly JsonType[], value: unknown): boolean {
  if (typeof type === 'object') return type.some((one) => isOfType(one, value))
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    default:
      return typeof value === type
  }
}

function describe(schema: JsonSchema): string {
  if (schema.expected !== undefined) return schema.expected
  if (schema.oneOf) return 'an object'
  if (schema.enum) return `one of ${schema.enum.join(', ')}`
  const { minimum, maximum, maxLength } = schema
  switch (schema.type) {
    case 'integer':
      return minimum === undefined ? 'a whole number' : `a whole number from ${minimum} to ${maximum}`
    case 'boolean':
      return 'true or false'
    case 'string':
      return maxLength === undefined ? 'a text' : `a text of at most ${maxLength} characters`
    case 'array':
      return `a list${schema.minItems === undefined ? '' : ' of one or more'}; an item is ${describe(schema.items ?? {})}`
    case 'object':
      return schema.properties ? `an object with ${Object.keys(schema.properties).join(', ')}` : 'an object'
    default:
      return 'a value'
  }
}

/** A value as a message shows it: short, and told apart by type. */
function show(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'string') return String(value)
  return `the text ${JSON.stringify(value.length > longestEcho ? `${value.slice(0, longestEcho)}…` : value)}`
}

const longestEcho = 80

/** What may have been meant by a name that is not known; all names where that is no guess, and they are few. */
function nearest(name: string, known: readonly string[]): string {
  const distances = known.map((one) => ({
    one,
    letters: editDistance(name.toLowerCase(), one.toLowerCase()),
  }))
  const [best] = distances.sort((first, second) => first.letters - second.letters)
  if (best && best.letters <= 2 && best.letters < best.one.length / 2 + 1)
    return `${best.one}, if that is meant`
  return known.length > 20 ? 'one that hallpass.schema.json lists' : `one of ${known.join(', ')}`
}
