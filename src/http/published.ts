/** Answers that are the same for everybody: any page may read them, and caches may keep them for a while. */
import { createHash } from 'node:crypto'

/** How long an answer may be used without asking again, in seconds: a changed setting is seen that soon. */
const freshSeconds = 300

export interface PublishedOptions {
  /** Whether caches may give it to others than whoever asked. */
  readonly forSharedCaches: boolean
}

/**
 * JSON that any origin may read. A cache may keep it for five minutes, and ask afterwards with its `ETag` whether it is
 * still so (RFC 9110 §13.1.2).
 */
export function publishedJson(
  request: Request,
  value: unknown,
  { forSharedCaches }: PublishedOptions,
): Response {
  const body = JSON.stringify(value)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  const headers = {
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'ETag',
    'cache-control': `${forSharedCaches ? 'public' : 'private'}, max-age=${freshSeconds}`,
    etag,
    'x-content-type-options': 'nosniff',
  }
  if (isKnown(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers })
  return new Response(body, { headers: { ...headers, 'content-type': 'application/json; charset=utf-8' } })
}

/** The answer to a browser that asks whether a page may read such an answer, whatever headers it sends along. */
export function publishedPreflight(request: Request): Response {
  const asked = request.headers.get('access-control-request-headers')
  return new Response(null, {
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD',
      // `*` would leave out Authorization; a header that nobody reads here does no harm.
      'access-control-allow-headers': asked === null || asked.length > 500 ? '*' : asked,
      'access-control-max-age': '7200',
      vary: 'Access-Control-Request-Headers',
    },
  })
}

/** Whether any origin may read an answer already, so that the site's own list of origins has no say. */
export function isPublished({ headers }: Response): boolean {
  return headers.get('access-control-allow-origin') === '*'
}

function isKnown(header: string | null, etag: string): boolean {
  if (header === null) return false
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes('*') || tags.includes(etag)
}
