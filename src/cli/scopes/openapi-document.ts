/** An OpenAPI document (3.0, 3.1), as far as scopes are made from it: its operations. Whatever is in it, nothing is thrown but HallpassError. */
import { parse } from 'yaml'
import { HallpassError } from '../../protocol/errors.ts'
import { isObject } from '../json-schema.ts'

/** One method on one path. */
export interface Operation {
  /** In capital letters. */
  readonly method: string
  /** The template below the servers' base paths, such as `/v1/invoices/{id}`: one for each base path. */
  readonly templates: readonly string[]
  /** Its first tag; undefined where it has none. */
  readonly tag: string | undefined
  readonly summary: string | undefined
  readonly parameters: readonly OperationParameter[]
}

export interface OperationParameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly isInteger: boolean
  readonly isRequired: boolean
}

export interface OpenApiDocument {
  readonly title: string
  readonly operations: readonly Operation[]
  /** What could not be read, each with where it is. */
  readonly warnings: readonly string[]
}

/** Reads the text of a document, YAML or JSON. @throws HallpassError `openapi_unreadable` for what is none */
export function readOpenApi(text: string): OpenApiDocument {
  const document = parseText(text)
  if (!isObject(document)) throw unreadable('it holds no object')
  if (document.swagger !== undefined)
    throw unreadable('it is of version 2, Swagger', 'convert it to OpenAPI 3 first')
  const version = document.openapi
  if (typeof version !== 'string' || !/^3\.[0-9]/.test(version)) {
    throw unreadable(
      'it does not say that it is OpenAPI 3',
      'give a document that begins with openapi: 3.1.0',
    )
  }
  if (!isObject(document.paths)) throw unreadable('it has no paths')
  const warnings: string[] = []
  const reader = { document, warnings }
  const base = basePaths(reader, document.servers, 'servers') ?? ['']
  const operations = Object.entries(document.paths).flatMap(([template, item]) =>
    template.startsWith('/') ? operationsOf(reader, template, item, base) : [],
  )
  const { info } = document
  const title = isObject(info) && typeof info.title === 'string' ? info.title : ''
  return { title, operations, warnings }
}

interface Reader {
  readonly document: Readonly<Record<string, unknown>>
  readonly warnings: string[]
}

const methods = ['get', 'head', 'post', 'put', 'patch', 'delete']

function operationsOf(
  reader: Reader,
  template: string,
  given: unknown,
  inherited: readonly string[],
): readonly Operation[] {
  const item = resolve(reader, given, template)
  if (!item) return []
  const base = basePaths(reader, item.servers, template) ?? inherited
  return methods.flatMap((method) => {
    if (item[method] === undefined) return []
    const at = `${method.toUpperCase()} ${template}`
    const operation = resolve(reader, item[method], at)
    if (!operation) return []
    const own = basePaths(reader, operation.servers, at) ?? base
    const [tag] = Array.isArray(operation.tags) ? (operation.tags as unknown[]) : []
    // The operation's own come last, and win over the path's of the same name.
    const parameters = [...listOf(item.parameters), ...listOf(operation.parameters)]
    const byName = new Map(
      parameters.flatMap((one) => {
        const parameter = readParameter(reader, one, at)
        return parameter ? [[`${parameter.in} ${parameter.name}`, parameter]] : []
      }),
    )
    return [
      {
        method: method.toUpperCase(),
        templates: own.map((path) => `${path}${template}`),
        tag: typeof tag === 'string' ? tag : undefined,
        summary: textOf(operation.summary) ?? textOf(operation.operationId),
        parameters: [...byName.values()],
      },
    ]
  })
}

function readParameter(reader: Reader, given: unknown, at: string): OperationParameter | undefined {
  const parameter = resolve(reader, given, `a parameter of ${at}`)
  if (!parameter || typeof parameter.name !== 'string') return undefined
  if (parameter.in !== 'path' && parameter.in !== 'query') return undefined
  const schema = isObject(parameter.schema)
    ? resolve(reader, parameter.schema, `a parameter of ${at}`)
    : undefined
  return {
    name: parameter.name,
    in: parameter.in,
    isInteger: schema?.type === 'integer',
    isRequired: parameter.required === true,
  }
}

/** The paths of the servers' addresses, without a slash at the end; undefined where no servers are named. */
function basePaths(reader: Reader, servers: unknown, at: string): readonly string[] | undefined {
  if (!Array.isArray(servers) || servers.length === 0) return undefined
  const paths = servers.flatMap((server: unknown) => {
    if (!isObject(server) || typeof server.url !== 'string') return []
    const { url, variables } = server
    const filled = url.replace(/\{([^{}]*)\}/g, (whole, name: string) => {
      const variable = isObject(variables) && Object.hasOwn(variables, name) ? variables[name] : undefined
      return isObject(variable) && typeof variable.default === 'string' ? variable.default : whole
    })
    const path =
      /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*([^?#]*)/i.exec(filled)?.[1] ??
      (/^\/[^?#]*/.exec(filled)?.[0] || '')
    if (/[{}]/.test(path))
      reader.warnings.push(`${at}: the base path ${path} has a variable without a default; give it one`)
    return [path.replace(/\/+$/, '')]
  })
  return paths.length === 0 ? undefined : [...new Set(paths)]
}

/** The object that a value is, or refers to within the document. Others are named in a warning. */
function resolve(
  { document, warnings }: Reader,
  given: unknown,
  at: string,
): Readonly<Record<string, unknown>> | undefined {
  let value = given
  for (let hops = 0; isObject(value) && typeof value.$ref === 'string'; hops += 1) {
    const reference = value.$ref
    if (!reference.startsWith('#/')) {
      warnings.push(`${at}: ${reference} is in another document; put it into this one`)
      return undefined
    }
    if (hops > 20) {
      warnings.push(`${at}: ${reference} refers to itself`)
      return undefined
    }
    value = follow(document, reference)
    if (value === undefined) warnings.push(`${at}: there is nothing at ${reference}`)
  }
  return isObject(value) ? value : undefined
}

/** RFC 6901 §6. */
function follow(document: unknown, reference: string): unknown {
  let value = document
  for (const token of reference.slice(2).split('/')) {
    const name = unescaped(token)
    if (Array.isArray(value) && /^\d{1,6}$/.test(name)) value = value[Number(name)] as unknown
    else if (isObject(value) && Object.hasOwn(value, name)) value = value[name]
    else return undefined
  }
  return value
}

function unescaped(token: string): string {
  let decoded = token
  try {
    decoded = decodeURIComponent(token)
  } catch {
    // Then it is meant as it stands.
  }
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~')
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

function parseText(text: string): unknown {
  try {
    // What is JSON is YAML too, but read a hundred times faster as what it is.
    return /^\s*\{/.test(text)
      ? (JSON.parse(text) as unknown)
      : (parse(text, { logLevel: 'error' }) as unknown)
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw unreadable(why.replace(/:$/, ''), 'mend it; it must be YAML or JSON')
  }
}

function unreadable(why: string, remedy = 'give an OpenAPI 3 document'): HallpassError {
  return new HallpassError('openapi_unreadable', `the document cannot be used: ${why}`, remedy)
}
