import { quotedName } from './app-name.ts'
import { csrfField } from './csrf-field.ts'
import { dateTag, timeTag } from './dates.ts'
import { destination } from './destination.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { warning } from './notice.ts'
import { appsPath } from './paths.ts'
import { type Permission, permissions, wholeNarrowing } from './permissions.ts'
import type { Person } from './person.ts'
import { signedInAs } from './signed-in-as.ts'

export interface ConsentScope extends Permission {
  /** What it permits, for developers. */
  readonly description: string
}

export interface ConsentModel {
  readonly siteTitle: string
  /** Free text from a stranger. */
  readonly applicationName: string
  /** Free text from a stranger. It need not be among `parameters`. */
  readonly clientId: string
  /** Who is signed in. */
  readonly user: Person
  readonly scopes: readonly ConsentScope[]
  /** Whether a scope lets the app change the user's things at will. */
  readonly writeWarning: boolean
  /** When the key ends by itself, in milliseconds since the epoch; null for never. */
  readonly expiresAt: number | null
  /** The host of the redirect; null when there is none to show (protocol §3.2). */
  readonly redirectHost: string | null
  /** Whether the redirect goes to a program on the user's own computer. */
  readonly redirectIsLoopback: boolean
  /** Where the form posts to: `/user-api-key`. */
  readonly action: string
  readonly csrfToken: string
  /** The request's parameters under their names on the wire; each becomes a hidden field. */
  readonly parameters: Readonly<Record<string, string>>
  /** The key of the same app that approval replaces; times in milliseconds since the epoch. */
  readonly alreadyHas: { readonly createdAt: number; readonly lastUsedAt: number | null } | null
  /** Where «Use another account» posts to. Default: it is not offered. */
  readonly switchUserAction?: string
}

/** Who asks, for what, until when, and where the key goes: what a user decides on (protocol §3.2). */
export function consentPage(model: ConsentModel): Html {
  const { siteTitle, applicationName } = model
  const body = html`<section class="pass authorize-api-key" aria-labelledby="asks">
<h1 id="asks" class="authorize-api-key__title">${quotedName(applicationName)} <span class="asks">asks for access to your account on <bdi>${siteTitle}</bdi></span></h1>
<p class="hint">Apps choose their names themselves. Nobody has checked this one.</p>
${signedInAs(model)}
<h2>It will be able to</h2>
<ul class="authorize-api-key__scopes ticks">
${permissions(model.scopes)}</ul>
${model.writeWarning ? writeWarning : null}
<dl class="facts">
${expiry(model.expiresAt)}
${destination({ ...model, authRedirect: model.parameters.auth_redirect ?? '' })}
</dl>
${model.alreadyHas === null ? null : replacement(model.alreadyHas)}
${fineprint(model)}
<form class="pass__stub" method="post" action="${model.action}">
${csrfField(model.csrfToken)}
${Object.entries(model.parameters).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`)}<div class="authorize-api-key__buttons">
<button class="button button--primary" type="submit">Authorize</button>
<a class="button" href="/">Cancel</a>
</div>
<p class="hint">You can take this back whenever you like, on the page with <a href="${appsPath}">your apps</a>.</p>
</form>
</section>`
  return layout({ siteTitle, title: 'Authorize an app', width: 'narrow', scripts: ['time.js'] }, body)
}

const writeWarning: Html = warning(
  html`<p><strong>This app will be able to post, edit and delete in your name.</strong></p>
<p>Authorize it only if you know it and trust it fully.</p>`,
  { className: 'authorize-api-key__write-warning' },
)

function expiry(expiresAt: number | null): Html {
  return expiresAt === null
    ? html`<div><dt>Until</dt><dd><strong>you take it back</strong> <span class="quiet">It does not end by itself.</span></dd></div>`
    : html`<div class="authorize-api-key__expiry"><dt>Until</dt><dd><strong>${dateTag(expiresAt)}</strong> <span class="quiet">or until you take it back</span></dd></div>`
}

function replacement({ createdAt, lastUsedAt }: NonNullable<ConsentModel['alreadyHas']>): Html {
  return html`<p class="notice">You approved this app before, on ${dateTag(createdAt)} (last used: ${
    lastUsedAt === null ? 'never' : timeTag(lastUsedAt, { relative: true })
  }). If you authorize it again, its earlier key stops working.</p>`
}

/** For whoever wants to look closer: what the request says in the protocol's own words. */
function fineprint({ scopes, clientId, parameters }: ConsentModel): Html {
  const address = parameters.auth_redirect?.trim() ?? ''
  return html`<details class="developer">
<summary>Technical details</summary>
<div class="developer__body">
<dl class="plain">
${scopes.map(scopeFacts)}<div><dt>Client</dt><dd><code>${clientId}</code></dd></div>
${address === '' ? null : html`<div><dt>Redirect</dt><dd><code>${address}</code></dd></div>`}
</dl>
</div>
</details>`
}

/** A scope in the protocol's own words, with all that it is narrowed to. */
export function scopeFacts({ name, description, allowedParameters }: ConsentScope): Html {
  return html`<div><dt>Scope <code>${name}</code></dt><dd>${description}${wholeNarrowing(allowedParameters)}</dd></div>\n`
}
