/** The values of settings: from the wire's text, to it, and as they are when nobody changed them (protocol §14). */
import { type Refusal, refusal } from './errors.ts'
import { createScopeCatalogue, type ScopeCatalogue } from './scopes.ts'
import { describeItems, itemProblem } from './setting-items.ts'
import { type SettingDefinition, type SettingName, type Settings, settingsCatalogue } from './settings.ts'

/**
 * Reads a setting's value from the wire's text. Lists lose empty and repeated items, and get back the mandatory items
 * that were left out. Reason: `setting_invalid`.
 *
 * `scopes`: the scopes that the site knows. Default: the protocol's own.
 */
export function parseSetting<Name extends SettingName>(
  name: Name,
  text: string,
  scopes: ScopeCatalogue = protocolScopes,
):
  | { readonly outcome: 'parsed'; readonly value: Settings[Name] }
  | { readonly outcome: 'refused'; readonly refusal: Refusal } {
  const read = readValue(settingsCatalogue[name], text, scopes)
  if ('problem' in read) {
    const value = text.length > longestEcho ? `${text.slice(0, longestEcho)}…` : text
    return { outcome: 'refused', refusal: refusal('setting_invalid', { name, value, ...read }) }
  }
  // The definition's kind decides the type of both; the compiler cannot follow that through a union.
  return { outcome: 'parsed', value: read.value as Settings[Name] }
}

/** The wire's text for a value. `parseSetting` reads it back. */
export function formatSetting<Name extends SettingName>(_name: Name, value: Settings[Name]): string {
  return Array.isArray(value) ? value.join('|') : String(value)
}

/** Every setting at its default. */
export function defaultSettings(): Settings {
  const entries = Object.entries(settingsCatalogue).map(([name, definition]) => [name, definition.default])
  return Object.fromEntries(entries) as Settings
}

/** Whether the catalogue has a setting of that name. */
export function isSettingName(text: string): text is SettingName {
  return Object.hasOwn(settingsCatalogue, text)
}

const protocolScopes = createScopeCatalogue()

/** How much of a refused value the refusal repeats, in UTF-16 code units. */
const longestEcho = 100

type SettingValue = number | boolean | string | readonly string[]
type Read = { readonly value: SettingValue } | { readonly problem: string; readonly expected: string }

function readValue(definition: SettingDefinition, text: string, scopes: ScopeCatalogue): Read {
  switch (definition.kind) {
    case 'integer':
      return readInteger(definition, text.trim())
    case 'boolean':
      return readBoolean(text.trim().toLowerCase())
    case 'string':
      return readString(definition, text)
    case 'list':
      return readList(definition, text, scopes)
  }
}

function readInteger(definition: Extract<SettingDefinition, { kind: 'integer' }>, text: string): Read {
  const { minimum, maximum, unit } = definition
  const expected = `a whole number of ${unit} from ${minimum} to ${maximum}`
  if (!/^-?[0-9]{1,15}$/.test(text)) return { problem: 'it is not a whole number', expected }
  const value = Number(text)
  if (value < minimum || value > maximum) return { problem: 'it is out of range', expected }
  // `-0` is in range where 0 is, and would be stored as another text.
  return { value: value === 0 ? 0 : value }
}

function readBoolean(text: string): Read {
  if (['true', 't', '1'].includes(text)) return { value: true }
  if (['false', 'f', '0'].includes(text)) return { value: false }
  return { problem: 'it is neither true nor false', expected: 'true or false' }
}

function readString(definition: Extract<SettingDefinition, { kind: 'string' }>, text: string): Read {
  const expected = `one line of at most ${definition.maximumLength} characters`
  if (/\p{Cc}/u.test(text)) return { problem: 'it holds a line break or a control character', expected }
  if (!text.isWellFormed()) return { problem: 'it holds half of a surrogate pair', expected }
  if ([...text].length > definition.maximumLength) return { problem: 'it is too long', expected }
  if (definition.form === 'time') return readTime(text.trim())
  if (definition.choices) return readChoice(definition.choices, text.trim())
  return { value: text }
}

function readChoice(choices: readonly string[], text: string): Read {
  if (choices.includes(text)) return { value: text }
  return { problem: 'it is none of the choices', expected: choices.join(' or ') }
}

/** A day is its first moment in UTC. A time of day without its zone could be read in two ways, and is refused. */
function readTime(text: string): Read {
  if (text === '') return { value: '' }
  const expected = 'a moment such as 2026-01-31 or 2026-01-31T12:00:00Z, or nothing'
  const isMoment =
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  if (!isMoment) return { problem: 'it is not a moment', expected }
  // `Date.parse` takes the 30th of February for the 2nd of March.
  const day = text.slice(0, 10)
  if (new Date(day).toISOString().slice(0, 10) !== day)
    return { problem: 'its month has no such day', expected }
  return { value: new Date(text).toISOString() }
}

function readList(
  definition: Extract<SettingDefinition, { kind: 'list' }>,
  text: string,
  scopes: ScopeCatalogue,
): Read {
  const items = text
    .split('|')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  for (const item of items) {
    const problem = itemProblem(definition.items, item, scopes)
    if (problem !== undefined) {
      return {
        problem: `\`${item.slice(0, longestEcho)}\`: ${problem}`,
        expected: describeItems(definition.items, scopes),
      }
    }
  }
  return { value: [...new Set([...(definition.mandatory ?? []), ...items])] }
}
