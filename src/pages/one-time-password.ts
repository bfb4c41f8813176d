import { quotedName } from './app-name.ts'
import { csrfField } from './csrf-field.ts'
import { type DestinationModel, destination } from './destination.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { warning } from './notice.ts'
import type { Person } from './person.ts'
import { signedInAs } from './signed-in-as.ts'

export interface OneTimePasswordModel extends DestinationModel {
  readonly siteTitle: string
  /** Free text from a stranger. */
  readonly applicationName: string
  /** Who is signed in. */
  readonly user: Person
  /** Where the form posts to: `/user-api-key/otp`. */
  readonly action: string
  readonly csrfToken: string
  /** The request's parameters under their names on the wire; each becomes a hidden field. */
  readonly parameters: Readonly<Record<string, string>>
  /** Where «Use another account» posts to. */
  /** Where «Use another account» posts to. Default: it is not offered. */
  readonly switchUserAction?: string
}

/** Who asks for a one-time password, what it is, and where it goes (protocol §6.1). */
export function oneTimePasswordPage(model: OneTimePasswordModel): Html {
  const { siteTitle, applicationName } = model
  const body = html`<section class="pass authorize-api-key" aria-labelledby="asks">
<h1 id="asks" class="authorize-api-key__title">${quotedName(applicationName)} <span class="asks">asks to sign in to <bdi>${siteTitle}</bdi> as you</span></h1>
<p class="hint">Apps choose their names themselves. Nobody has checked this one.</p>
${signedInAs(model)}
<h2>It will be able to</h2>
<ul class="authorize-api-key__scopes ticks">
<li>Sign in as you once, within the next ten minutes</li>
</ul>
${whatItMeans}
<dl class="facts">
${destination(model)}
</dl>
<details class="developer">
<summary>Technical details</summary>
<div class="developer__body">
<dl class="plain">
<div><dt>Asks for</dt><dd>a one-time password, sealed for the app’s key</dd></div>
<div><dt>Redirect</dt><dd><code>${model.authRedirect}</code></dd></div>
</dl>
</div>
</details>
<form class="pass__stub" method="post" action="${model.action}">
${csrfField(model.csrfToken)}
${Object.entries(model.parameters).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`)}<div class="authorize-api-key__buttons">
<button class="button button--primary" type="submit">Authorize</button>
<a class="button" href="/">Cancel</a>
</div>
</form>
</section>`
  return layout({ siteTitle, title: 'Authorize a sign-in', width: 'narrow' }, body)
}

const whatItMeans: Html = warning(
  html`<p><strong>Whoever signs in as you can do everything that you can.</strong></p>
<p>Authorize it only if you have just asked this app to open the site.</p>`,
  { className: 'authorize-api-key__write-warning' },
)
