import { html as template } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/**
 * HTML in which every value has been escaped. A page is one of these; it goes into a `Response` as it is.
 *
 * This room holds all the HTML that Hallpass shows: one file a page, each a pure function from the model beside it.
 * Start at `layout.ts`, which surrounds them all, and at `consent.ts`, which matters most. `assets/` is what pages
 * load. Pages carry no inline script and no inline style, because their policy (`content-security-policy.ts`) forbids
 * both, and all of them work without scripts.
 */
export type Html = HtmlEscapedString

/**
 * The template tag of all pages: escapes every value but `Html`, flattens lists, leaves out null, undefined and
 * booleans.
 *
 * @throws TypeError for a promise among the values: pages are made at once, from what is already known
 */
export function html(strings: TemplateStringsArray, ...values: unknown[]): Html {
  const made = template(strings, ...values)
  if (made instanceof Promise) throw new TypeError('a page cannot hold a promise: await it first')
  return made
}
