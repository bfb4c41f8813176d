/** Bodies that a framework has read and parsed before Hallpass saw them. */
import type { BodyParameters } from './guard.ts'

/** The parameters in a parsed body; `unread` for one that holds no parameters by name, such as a text or a list. */
export function parametersIn(parsed: unknown): BodyParameters {
  return isRecord(parsed) ? parsed : 'unread'
}

/** A body that says the same as the parsed one, in the type that is given beside it. */
export interface RestoredBody {
  readonly text: string | Uint8Array<ArrayBuffer>
  readonly contentType: string
}

/**
 * Puts a parsed body back into the form that it came in: JSON as JSON, everything else as a form, for which
 * `multipart/form-data` becomes `application/x-www-form-urlencoded`. Texts and bytes stay as they are.
 */
export function restoreBody(parsed: unknown, contentType: string): RestoredBody {
  if (typeof parsed === 'string') return { text: parsed, contentType }
  if (parsed instanceof Uint8Array) return { text: new Uint8Array(parsed), contentType }
  if (/[/+]json\s*(;|$)/i.test(contentType)) return { text: JSON.stringify(parsed) ?? '', contentType }
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(isRecord(parsed) ? parsed : {})) {
    // A name that came twice stays twice, so that it is refused as it would have been.
    if (Array.isArray(value) && !value.some(isRecord)) for (const one of value) append(form, name, one)
    else append(form, name, value)
  }
  return { text: form.toString(), contentType: 'application/x-www-form-urlencoded' }
}

function append(form: URLSearchParams, name: string, value: unknown): void {
  if (Array.isArray(value)) {
    for (const [index, one] of value.entries()) append(form, `${name}[${isRecord(one) ? index : ''}]`, one)
  } else if (isRecord(value)) {
    for (const [key, one] of Object.entries(value)) append(form, `${name}[${key}]`, one)
  } else if (value !== undefined && value !== null) {
    form.append(name, String(value))
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
