import { largestId } from './posts.ts'
import { refuseNotFound } from './refused.ts'
import type { Visit } from './visit.ts'

/** A JSON answer. Who may see what changes from request to request, so that nothing in between may keep it. */
export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      vary: 'Accept',
    },
  })
}

/** The protocol's answer for «done». */
export function success(): Response {
  return json({ success: 'OK' })
}

/** Sends a browser on with GET after a form. `path` is a path of this site. */
export function seeOther(path: string): Response {
  return new Response(null, { status: 303, headers: { location: path, 'cache-control': 'no-store' } })
}

/** A feed. */
export function rss(xml: string): Response {
  return document(xml, 'application/rss+xml')
}

/** A calendar. */
export function calendar(text: string): Response {
  return document(text, 'text/calendar')
}

/** An id out of a path. Refuses with 404 what is no id; `what` names what was looked for. */
export function idIn(text: string | undefined, what: string): number {
  if (text === undefined || !/^[1-9]\d{0,9}$/.test(text) || Number(text) > largestId) {
    return refuseNotFound(`${what} ${(text ?? '').slice(0, 40)}`)
  }
  return Number(text)
}

/** The page that a list is asked for, from `first`; at most 10 000, past which no list goes. */
export function pageOf(visit: Visit, first: 0 | 1): number {
  return Math.min(Math.max(visit.parameters.number('page') ?? first, first), 10_000)
}

/** A `limit` or `per_page` as it was asked for, within 1 and `maximum`. */
export function limitOf(asked: number | undefined, standard: number, maximum: number): number {
  return Math.min(Math.max(asked ?? standard, 1), maximum)
}

function document(text: string, type: string): Response {
  return new Response(text, {
    headers: {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  })
}
