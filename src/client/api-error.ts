import { HallpassError } from '../protocol/errors.ts'
import { isObject, parseJsonObject } from './http.ts'
import { explainPlainRefusal, type RefusedCall } from './plain-refusal.ts'

/** What a refusal says, in the client's words or the site's. */
export interface ApiErrorDetails {
  readonly reason: string
  readonly message: string
  readonly remedy: string
  readonly status: number
  readonly errorType: string | undefined
  readonly errors: readonly string[]
  readonly docsUrl: string | undefined
  readonly waitSeconds: number | undefined
  /** Default: none. */
  readonly neededScopes?: readonly string[]
  /** Default: none. */
  readonly grantedScopes?: readonly string[]
}

/**
 * A site refused a call. From a Hallpass, `reason`, `message` and `remedy` are the site's own; from any other site
 * that speaks the protocol they are derived from what it does say (protocol §12).
 */
export class HallpassApiError extends HallpassError {
  override readonly name: string = 'HallpassApiError'
  /** The HTTP status. */
  readonly status: number
  /** The wire's `error_type`; undefined when the site sent none. */
  readonly errorType: string | undefined
  /** The wire's `errors`, as they came: for people, in the site's language. */
  readonly errors: readonly string[]
  /** The address of a page about the reason; undefined when the site gave none. */
  readonly docsUrl: string | undefined
  /** How long to wait before trying again, in seconds; undefined unless the site said so. */
  readonly waitSeconds: number | undefined
  /** Of a refusal for scope: those that would do, the narrowest first; one is enough. Otherwise empty. */
  readonly neededScopes: readonly string[]
  /** Of a refusal for scope: those of the key. Otherwise empty. */
  readonly grantedScopes: readonly string[]

  constructor(details: ApiErrorDetails) {
    super(details.reason, details.message, details.remedy)
    this.status = details.status
    this.errorType = details.errorType
    this.errors = details.errors
    this.docsUrl = details.docsUrl
    this.waitSeconds = details.waitSeconds
    this.neededScopes = details.neededScopes ?? []
    this.grantedScopes = details.grantedScopes ?? []
  }
}

/** Reads a refusal (a status of 400 or above). Consumes the body. */
export async function readRefusal(response: Response, call: RefusedCall): Promise<HallpassApiError> {
  const text = await response.text()
  const body = parseJsonObject(text) ?? {}
  const wire = {
    status: response.status,
    errorType: stringOf(body.error_type),
    errors: readErrors(body, text),
    waitSeconds: readWaitSeconds(response.headers, body),
  }
  const { reason, message, remedy } = body
  const isExplained = typeof reason === 'string' && typeof message === 'string'
  const { scopes, ...explained } = isExplained
    ? { reason, message, remedy: stringOf(remedy) ?? '' }
    : explainPlainRefusal(wire, call)
  return new HallpassApiError({
    ...wire,
    ...explained,
    docsUrl: stringOf(body.docs_url),
    neededScopes: scopes?.needed ?? textsOf(body.needed_scopes),
    grantedScopes: scopes?.granted ?? textsOf(body.granted_scopes),
  })
}

/** `extras.wait_seconds` (protocol §12.5), else `Retry-After` in either of its forms (RFC 9110 §10.2.3). */
function readWaitSeconds(headers: Headers, body: Record<string, unknown>): number | undefined {
  const extras = body.extras
  const stated = isObject(extras) ? extras.wait_seconds : undefined
  if (typeof stated === 'number' && stated >= 0) return stated
  const header = headers.get('retry-after')?.trim()
  if (!header) return undefined
  if (/^\d+$/.test(header)) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000))
}

/** Before JSON is asked for, some refusals are bare text (protocol §12.8); a page of HTML says nothing worth showing. */
function readErrors(body: Record<string, unknown>, text: string): readonly string[] {
  const { errors } = body
  if (Array.isArray(errors)) return textsOf(errors)
  const plain = text.trim()
  return plain === '' || plain.startsWith('<') || plain.startsWith('{') ? [] : [plain.slice(0, 500)]
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : []
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
