import { refuse } from './refused.ts'

/** The largest request body that the forum reads, in bytes. */
const maximumBodyBytes = 262_144

/** What a request asks with: its query, and over it its body, be that a form or JSON. Repeated names keep the last. */
export interface Parameters {
  /** The text under `name`; a JSON number or boolean counts as its text. Refuses with 400 what is no text. */
  text(name: string): string | undefined
  /** The texts of a list: `name[]` repeated, a JSON array, or one text with commas. Refuses with 400 what is none. */
  list(name: string): readonly string[]
  /**
   * A whole number from 0 to 2 147 483 647 that an id or an offset can be; undefined when none is sent. Refuses
   * anything else with 400.
   */
  number(name: string): number | undefined
  /** The parameters under `name`, sent as `name[key]` or as a JSON object; without any when there are none. */
  under(name: string): Parameters
  /** True for `true`, `1`, `on` and `yes`. */
  flag(name: string): boolean
  /** Every name that was sent. */
  names(): readonly string[]
  /** Every value by its name, as it was sent: a text, or what JSON held. */
  values(): Readonly<Record<string, unknown>>
}

type Values = ReadonlyMap<string, unknown>

/** The parameters of a query and of nothing else. */
export function queryParameters(query: URLSearchParams): Parameters {
  return parametersOf(formValues(query))
}

/**
 * Reads a request's query and body. Refuses with 413 a body above {@link maximumBodyBytes}, with 400 one that
 * is neither form nor JSON, and with 400 one that is not what it says it is. An empty body is no body.
 */
export async function readRequestParameters(request: Request): Promise<Parameters> {
  const query = formValues(new URL(request.url).searchParams)
  const body = await readBody(request)
  return parametersOf(new Map([...query, ...body]))
}

async function readBody(request: Request): Promise<Values> {
  const bytes = await readBytes(request)
  if (bytes.length === 0) return new Map()
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (type === 'application/json' || type.endsWith('+json')) return readJson(bytes)
  if (type === 'application/x-www-form-urlencoded' || type === '') {
    return formValues(new URLSearchParams(new TextDecoder().decode(bytes)))
  }
  if (type === 'multipart/form-data') return readMultipart(request, bytes)
  return refuse('body_unreadable', {
    expected: 'JSON or a form',
    problem: 'its Content-Type is neither application/json nor a form’s',
  })
}

async function readBytes(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () => refuse('body_too_large', { limit: maximumBodyBytes })
  if (Number(request.headers.get('content-length') ?? 0) > maximumBodyBytes) return tooLarge()
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = request.body.getReader()
  for (;;) {
    const { done, value } = await reader
      .read()
      .catch(() => refuse('body_unreadable', { expected: 'a whole body', problem: 'it broke off' }))
    if (done) break
    length += value.length
    if (length > maximumBodyBytes) {
      await reader.cancel().catch(() => {})
      return tooLarge()
    }
    chunks.push(value)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

function readJson(bytes: Uint8Array): Values {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return refuse('body_unreadable', { expected: 'JSON', problem: 'it is not valid JSON' })
  }
  if (!isObject(value)) {
    return refuse('body_unreadable', { expected: 'JSON', problem: 'it is not an object' })
  }
  return new Map(Object.entries(value))
}

async function readMultipart(request: Request, bytes: Uint8Array<ArrayBuffer>): Promise<Values> {
  const headers = { 'content-type': request.headers.get('content-type') ?? '' }
  try {
    const form = await new Response(bytes, { headers }).formData()
    return formValues(
      [...form].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
    )
  } catch {
    return refuse('body_unreadable', {
      expected: 'multipart/form-data',
      problem: 'its parts cannot be told apart',
    })
  }
}

/** Gathers `a[]=1&a[]=2` under `a` as a list, and `a[b]=1` under `a` as a map. */
function formValues(pairs: Iterable<readonly string[]>): Values {
  const values = new Map<string, unknown>()
  for (const [name = '', value = ''] of pairs) {
    const [, outer, inner] = /^([^[\]]+)\[([^[\]]*)\]$/.exec(name) ?? []
    if (outer === undefined || inner === undefined) {
      values.set(name, value)
      continue
    }
    const existing = values.get(outer)
    if (inner === '') {
      const list: unknown[] = Array.isArray(existing) ? existing : []
      list.push(value)
      values.set(outer, list)
    } else {
      const map: Map<unknown, unknown> = existing instanceof Map ? existing : new Map()
      map.set(inner, value)
      values.set(outer, map)
    }
  }
  return values
}

function parametersOf(values: Values): Parameters {
  const invalid = (field: string, expected: string) =>
    refuse('parameter_invalid', { field, problem: `it is not ${expected}`, expected })
  const text = (name: string): string | undefined => {
    const value = values.get(name) ?? undefined
    if (value === undefined || typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    return invalid(name, 'a text')
  }
  return {
    text,
    list(name) {
      const value = values.get(name)
      if (!Array.isArray(value)) return (text(name) ?? '').split(',').filter((item) => item.trim() !== '')
      return value.map((item: unknown) =>
        typeof item === 'string' || typeof item === 'number'
          ? String(item)
          : invalid(name, 'a list of texts'),
      )
    },
    number(name) {
      const value = text(name)?.trim()
      if (value === undefined || value === '') return undefined
      if (!/^\d{1,10}$/.test(value) || Number(value) > 2_147_483_647) {
        return invalid(name, 'a whole number from 0 to 2147483647')
      }
      return Number(value)
    },
    under(name) {
      const value = values.get(name)
      if (value instanceof Map) return parametersOf(value)
      return parametersOf(new Map(isObject(value) ? Object.entries(value) : []))
    },
    flag: (name) => ['true', '1', 'on', 'yes'].includes((text(name) ?? '').toLowerCase()),
    names: () => [...values.keys()],
    values: () => Object.fromEntries(values),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
