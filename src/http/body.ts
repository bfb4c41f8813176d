import { type Refusal, refusal } from '../protocol/errors.ts'
import type { ParameterSources } from '../protocol/parameters.ts'

/** The largest body that Hallpass's own routes read, in bytes. All that they take are a few short fields. */
const maximumBodyBytes: number = 64 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true })

type ReadBody =
  | { readonly outcome: 'read'; readonly body: ParameterSources['body'] }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/**
 * Reads a form or JSON body. No body, and a JSON content type with an empty body (some clients revoke that way), are an
 * empty object. Reasons: `body_too_large`, `body_unreadable`.
 */
export async function readBody(request: Request): Promise<ReadBody> {
  if (request.method === 'GET' || request.method === 'HEAD') return { outcome: 'read', body: undefined }
  let bytes: Uint8Array<ArrayBuffer> | undefined
  try {
    bytes = await readBounded(request)
  } catch (error) {
    // Misuse by the program around us is its to hear of; a sender who goes away in between is nobody's fault here.
    if (error instanceof TypeError) throw error
    return unreadable('a whole body', 'it broke off')
  }
  if (bytes === undefined) return refused(refusal('body_too_large', { limit: maximumBodyBytes }))
  if (bytes.length === 0) return { outcome: 'read', body: {} }
  const type = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (type === 'multipart/form-data') return readMultipart(request, bytes)
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return unreadable('text', 'it is not UTF-8')
  }
  if (/[/+]json$/.test(type)) return readJson(text)
  return { outcome: 'read', body: new URLSearchParams(text) }
}

function readJson(text: string): ReadBody {
  if (text.trim() === '') return { outcome: 'read', body: {} }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return unreadable('JSON', 'it does not parse')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return unreadable('JSON', 'it is not an object')
  }
  return { outcome: 'read', body: value as Record<string, unknown> }
}

async function readMultipart(request: Request, bytes: Uint8Array<ArrayBuffer>): Promise<ReadBody> {
  try {
    const type = request.headers.get('content-type') ?? ''
    const form = await new Response(bytes, { headers: { 'content-type': type } }).formData()
    const fields = [...form].filter((field): field is [string, string] => typeof field[1] === 'string')
    return { outcome: 'read', body: new URLSearchParams(fields) }
  } catch {
    return unreadable('multipart/form-data', 'it does not parse')
  }
}

/** Undefined once the body has grown past the limit; the rest is not read. */
async function readBounded(request: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > maximumBodyBytes) return undefined
  if (!request.body) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body) {
    length += chunk.length
    if (length > maximumBodyBytes) return undefined
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function unreadable(expected: string, problem: string): ReadBody {
  return refused(refusal('body_unreadable', { expected, problem }))
}

function refused(why: Refusal): { readonly outcome: 'refused'; readonly refusal: Refusal } {
  return { outcome: 'refused', refusal: why }
}
