import { type Refusal, refusal } from '../protocol/errors.ts'

type FormValue = string | string[] | Record<string, string>[]

/** What of an object was found; undefined for none. */
export type ReadObject =
  | { readonly outcome: 'read'; readonly object: Readonly<Record<string, unknown>> | undefined }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/**
 * The object that a form's fields `root[…]` make, as the wire's first clients send objects: `root[name]=v`,
 * `root[name][]=v` for a list, `root[name][][field]=v` and `root[name][0][field]=v` for a list of objects. Without
 * numbers, a field that the last object has already begins the next one. Reason: `parameter_duplicated`.
 */
export function readFormObject(form: URLSearchParams, root: string): ReadObject {
  const values = new Map<string, FormValue>()
  for (const [field, value] of form) {
    const [, outer, name = '', index, inner] =
      /^(\w+)\[(\w+)\](?:\[([0-9]{0,3})\](?:\[(\w+)\])?)?$/.exec(field) ?? []
    if (outer !== root) continue
    const fits =
      inner !== undefined
        ? putItem(values, name, { index: index ?? '', field: inner, value })
        : index === ''
          ? append(values, name, value)
          : index === undefined && putOnce(values, name, value)
    if (!fits) return { outcome: 'refused', refusal: refusal('parameter_duplicated', { field }) }
  }
  return { outcome: 'read', object: values.size === 0 ? undefined : Object.fromEntries(values) }
}

function putOnce(values: Map<string, FormValue>, name: string, value: string): boolean {
  if (values.has(name)) return false
  values.set(name, value)
  return true
}

function append(values: Map<string, FormValue>, name: string, value: string): boolean {
  const list = values.get(name) ?? []
  if (!isTexts(list)) return false
  values.set(name, [...list, value])
  return true
}

function putItem(
  values: Map<string, FormValue>,
  name: string,
  { index, field, value }: { index: string; field: string; value: string },
): boolean {
  const list = values.get(name) ?? []
  if (!isObjects(list)) return false
  const last = list.at(-1)
  const begins = last === undefined || Object.hasOwn(last, field)
  const position = index !== '' ? Number(index) : begins ? list.length : list.length - 1
  const item = list[position]
  if (item && Object.hasOwn(item, field)) return false
  // Numbers may come in any order, but a gap is nothing that an object could fill.
  if (position > list.length) return false
  const grown = item ? list.with(position, { ...item, [field]: value }) : [...list, { [field]: value }]
  values.set(name, grown)
  return true
}

function isTexts(value: FormValue): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isObjects(value: FormValue): value is Record<string, string>[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'object')
}
