import { type Html, html } from './html.ts'

/** The name of the field in which a form carries its browser session's CSRF token. */
const csrfFieldName = 'authenticity_token'

/** The hidden field that every form with a change in it carries. */
export function csrfField(token: string): Html {
  return html`<input type="hidden" name="${csrfFieldName}" value="${token}">`
}
