import { type Html, html } from './html.ts'
import { warningSign } from './icons.ts'

/** A box that must not be overlooked. `attributes` of ours only: a class the outside relies on, or a role. */
export function warning(body: Html, options: { readonly className?: string } = {}): Html {
  return html`<div class="notice notice--warning ${options.className ?? ''}">${warningSign}<div>${body}</div></div>`
}

/** What went wrong, where a screen reader reads it out as soon as the page is there. */
export function problem(body: Html, options: { readonly id: string }): Html {
  return html`<div class="notice notice--problem" id="${options.id}" role="alert">${warningSign}<div>${body}</div></div>`
}
