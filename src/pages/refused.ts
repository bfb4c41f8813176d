import type { Refusal } from '../protocol/errors.ts'
import { quotedName } from './app-name.ts'
import { developerDetails } from './developer-details.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { visitorText } from './visitor-text.ts'

export interface AuthorizationRefusedModel {
  readonly siteTitle: string
  /** `generic_error`: the app asked for what cannot be. `no_trust_level`: this account may not approve apps. */
  readonly state: 'generic_error' | 'no_trust_level'
  readonly refusal: Refusal
  /** The address of the reason's page in the reference. */
  readonly docsUrl: string
  /** What the app calls itself, when it said so. */
  readonly applicationName?: string
}

/** In place of the consent page when there is nothing to consent to (protocol §3.2). */
export function authorizationRefusedPage(model: AuthorizationRefusedModel): Html {
  const { siteTitle, refusal } = model
  const body = html`<section class="pass authorize-api-key">
${model.state === 'no_trust_level' ? notAllowed(model) : cannotBeGranted(model)}
${developerDetails(refusal, {
  summary: model.state === 'no_trust_level' ? 'For administrators' : 'For the developer of the app',
  docsUrl: model.docsUrl,
})}
<p class="actions"><a class="button" href="/">Go to <bdi>${siteTitle}</bdi></a></p>
</section>`
  return layout({ siteTitle, title: 'The app was not authorized', width: 'narrow' }, body)
}

function notAllowed({ refusal, applicationName }: AuthorizationRefusedModel): Html {
  const { title, lead } = visitorText(refusal)
  return html`<h1>${title}</h1>
${applicationName === undefined ? null : html`<p class="lead">${quotedName(applicationName)} asked for access.</p>`}
<p class="error-message">${lead}</p>`
}

function cannotBeGranted({ siteTitle, applicationName }: AuthorizationRefusedModel): Html {
  return html`<h1>This app cannot be authorized</h1>
<p class="error-message">${
    applicationName === undefined ? 'An app' : quotedName(applicationName)
  } asked <bdi>${siteTitle}</bdi> for a key in a way that does not work here. Nothing has happened: it got no access, and your account is as it was.</p>
<p>You can go back to the app and try once more. If you end up here again, tell the people who make it; what they need to know is below.</p>`
}
