import { raw } from 'hono/html'
import type { Html } from './html.ts'

/** The hall pass: a card with a slot for its cord, and a tick. */
export const mark: Html = raw(
  '<svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">' +
    '<g transform="rotate(-7 16 16)">' +
    '<path class="mark__card" fill-rule="evenodd" d="M10.5 2.5h11a5 5 0 0 1 5 5v17a5 5 0 0 1-5 5h-11a5 5 0 0 1-5-5v-17a5 5 0 0 1 5-5z' +
    'm3 3.5a1.5 1.5 0 0 0 0 3h5a1.5 1.5 0 0 0 0-3z"/>' +
    '<path class="mark__tick" d="m11 18.7 3.6 3.6 6.4-7"/></g></svg>',
)

/** A triangle with an exclamation mark. */
export const warningSign: Html = raw(
  '<svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">' +
    '<path d="M10.6 4.1a1.6 1.6 0 0 1 2.8 0l7.3 13a1.6 1.6 0 0 1-1.4 2.4H4.7a1.6 1.6 0 0 1-1.4-2.4z"/>' +
    '<path d="M12 9.2v4.3M12 16.6v.1"/></svg>',
)
