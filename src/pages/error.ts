import type { Refusal } from '../protocol/errors.ts'
import { developerDetails } from './developer-details.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { goAndSignInPath } from './paths.ts'
import { visitorText } from './visitor-text.ts'

export interface ErrorModel {
  readonly siteTitle: string
  readonly refusal: Refusal
  /** The address of the reason's page in the reference. */
  readonly docsUrl: string
  /** What the server's log calls the request. */
  readonly traceId?: string
}

/** Any refusal that has no page of its own. */
export function errorPage(model: ErrorModel): Html {
  const { siteTitle, refusal, docsUrl, traceId } = model
  const { title, lead } = visitorText(refusal)
  const body = html`<section class="pass">
${refusal.status === 200 ? null : html`<p class="status">${refusal.status}</p>`}
<h1>${title}</h1>
<p class="error-message">${lead}</p>
<p class="actions">${
    refusal.reason === 'not_signed_in'
      ? html`<a class="button button--primary" href="${goAndSignInPath}">Sign in</a> `
      : null
  }<a class="button" href="/">Go to <bdi>${siteTitle}</bdi></a></p>
${developerDetails(refusal, {
  summary: 'What exactly was wrong',
  docsUrl,
  ...(traceId === undefined ? {} : { traceId }),
})}
</section>`
  return layout({ siteTitle, title, width: 'narrow' }, body)
}
