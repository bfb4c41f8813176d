import { type Html, html } from './html.ts'

/** The day of a point in time, where the hour is of no interest. */
export function dateTag(at: number): Html {
  return html`<time datetime="${new Date(at).toISOString()}">${formatDate(at)}</time>`
}

/**
 * A point in time. The text is absolute and in UTC; the script `time.js` turns it into the reader's own time zone, and
 * with `relative` puts «3 days ago» in its place.
 */
export function timeTag(at: number, options: { readonly relative?: boolean } = {}): Html {
  const iso = new Date(at).toISOString()
  return options.relative === true
    ? html`<time datetime="${iso}" data-relative>${formatDateTime(at)}</time>`
    : html`<time datetime="${iso}">${formatDateTime(at)}</time>`
}

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** `24 November 2026`, in UTC; `at` is in milliseconds since the epoch. The same on every machine. */
function formatDate(at: number): string {
  const date = new Date(at)
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`
}

/** `24 November 2026, 07:58 UTC`; `at` is in milliseconds since the epoch. */
function formatDateTime(at: number): string {
  return `${formatDate(at)}, ${new Date(at).toISOString().slice(11, 16)} UTC`
}
