/** One line of a web server's access log: the request that it tells of, or why it tells of none. */
import { isObject } from '../json-schema.ts'

/** The formats that logs have. `common` is the first part of `combined`. */
export const logFormats = ['auto', 'common', 'combined', 'caddy-json', 'nginx-json'] as const

export type LogFormat = (typeof logFormats)[number]

/** A request as a log has it. */
export interface LoggedRequest {
  readonly method: string
  /** Percent-encoded, without query. */
  readonly path: string
  /** Undefined where the log does not say. */
  readonly status: number | undefined
  /** Whatever the log tells of who asked: a user, or the id of a key. */
  readonly callers: readonly string[]
}

/** Reads a line. The answer is a text, which says what is wrong and repeats nothing of the line, where it is no request. */
export function readLogLine(line: string, format: LogFormat): LoggedRequest | string {
  const isJson = format === 'auto' ? /^\s*\{/.test(line) : format === 'caddy-json' || format === 'nginx-json'
  return isJson ? readJson(line, format) : readCommon(line)
}

/** `host identity user [time] "GET /path HTTP/1.1" status bytes`, and whatever follows. */
function readCommon(line: string): LoggedRequest | string {
  const [, user = '', request = '', status = ''] =
    /^\S+ \S+ (.{0,1000}?) \[[^\]]{0,100}\] "((?:[^"\\]|\\.)*)" (\d{3})\b/.exec(line) ?? []
  if (status === '') return 'it is in no known format'
  return readRequest(request, Number(status), user === '-' ? [] : [user])
}

function readJson(line: string, format: LogFormat): LoggedRequest | string {
  let entry: unknown
  try {
    entry = JSON.parse(line)
  } catch {
    return 'it is not JSON'
  }
  if (!isObject(entry)) return 'it is no JSON object'
  // An object may have no form as a number, and would throw.
  const status = typeof entry.status === 'object' ? Number.NaN : Number(entry.status)
  const known = Number.isInteger(status) && status >= 100 && status < 1000 ? status : undefined
  const callers = callerFields.flatMap((name) => {
    const value = entry[name]
    return (typeof value === 'string' && value !== '' && value !== '-') || typeof value === 'number'
      ? [String(value)]
      : []
  })
  const { request } = entry
  if (isObject(request)) {
    if (format === 'nginx-json') return 'it has no request in nginx’s form'
    return readParts(request.method, request.uri, known, callers)
  }
  if (format === 'caddy-json') return 'it has no request in Caddy’s form'
  if (typeof request === 'string') return readRequest(request, known, callers)
  const method = entry.request_method ?? entry.method
  return readParts(method, entry.request_uri ?? entry.uri ?? entry.path, known, callers)
}

/** Where logs in JSON have who asked. */
const callerFields = ['hallpass_key_id', 'key_id', 'remote_user', 'user_id', 'user']

/** `GET /path HTTP/1.1`. */
function readRequest(
  request: string,
  status: number | undefined,
  callers: readonly string[],
): LoggedRequest | string {
  const [, method, target] = /^([A-Za-z]{1,20}) (\S+)(?: HTTP\/[0-9.]{1,5})?$/.exec(request) ?? []
  return readParts(method, target, status, callers)
}

function readParts(
  method: unknown,
  target: unknown,
  status: number | undefined,
  callers: readonly string[],
): LoggedRequest | string {
  if (typeof method !== 'string' || !/^[A-Za-z]{1,20}$/.test(method)) return 'it has no request'
  if (typeof target !== 'string') return 'it has no request'
  const [, path = ''] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(target) ?? []
  if (!path.startsWith('/')) return 'it has no path'
  // nginx and Apache write a byte that they do not print so.
  return { method, path: path.replace(/\\x([0-9a-f]{2})/gi, '%$1'), status, callers }
}
