/** The device flow's pages: the code is typed, what it stands for is shown, and it is decided on (protocol §5.3 to §5.5). */
import { quotedName } from './app-name.ts'
import { type ConsentScope, scopeFacts } from './consent.ts'
import { csrfField } from './csrf-field.ts'
import { dateTag } from './dates.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { problem, warning } from './notice.ts'
import { appsPath } from './paths.ts'
import { permissions } from './permissions.ts'
import { type Person, portrait } from './person.ts'
import { qrCode } from './qr-code.ts'

export interface EnterCodeModel {
  readonly siteTitle: string
  /** Who is signed in. */
  readonly user: Person
  readonly csrfToken: string
  /** Where the form posts to: `/user-api-key/activate`. */
  readonly action: string
  /** Why the attempt before this one failed. */
  readonly problem?: 'invalid_code' | 'expired_code'
  /** Where «Use another account» posts to. Default: it is not offered. */
  readonly switchUserAction?: string
}

/** Where a user types the code that their device shows. */
export function enterCodePage(model: EnterCodeModel): Html {
  const { siteTitle, problem: failed } = model
  const body = html`<section class="pass activate">
<h1>Connect a device</h1>
<p class="lead">Type the code that your device or terminal shows.</p>
${failed === undefined ? null : codeProblem(failed)}
<form class="fields" method="post" action="${model.action}">
${csrfField(model.csrfToken)}
${codeField({ failed: failed !== undefined, focus: true })}
<button class="button button--primary" type="submit">Continue</button>
</form>
<div class="authorize-api-key__user">
${portrait(model.user)}
<p><span class="quiet">Signed in as</span> <bdi class="authorize-api-key__username">${model.user.username}</bdi></p>
${switchUser(model)}
</div>
</section>
<p class="aside">Did somebody else send you a code? Do not type it: it would give them access to your account.</p>`
  return layout({ siteTitle, title: 'Connect a device', width: 'narrow' }, body)
}

function switchUser({ switchUserAction, csrfToken }: EnterCodeModel): Html | null {
  if (switchUserAction === undefined) return null
  return html`<form method="post" action="${switchUserAction}">${csrfField(csrfToken)}<button class="link" type="submit">Use another account</button></form>`
}

export interface ActivationModel {
  readonly siteTitle: string
  /** Free text from a stranger. */
  readonly applicationName: string
  readonly clientId: string
  /** Who is signed in. */
  readonly user: Person
  readonly scopes: readonly ConsentScope[]
  /** Whether a scope lets the app change the user's things at will. */
  readonly writeWarning: boolean
  /** Whether the site does not know the app by a key of its own. */
  readonly unregisteredClient: boolean
  /** When the key ends by itself, in milliseconds since the epoch; null for never. */
  readonly expiresAt: number | null
  readonly csrfToken: string
  /** Where «Authorize» posts to. */
  readonly authorizeAction: string
  /** Where «Deny» posts to. */
  readonly denyAction: string
  /** `link`: the code is still to be typed. `approval`: it was, and the token stands for it. */
  readonly handle:
    | {
        readonly by: 'link'
        readonly requestToken: string
        /** The address of this very page, for another device. */
        readonly link: string
        readonly invalidCode: boolean
      }
    | { readonly by: 'approval'; readonly approvalToken: string }
}

/** What a device asks for, and the choice: what the consent page is to the browser flow. */
export function activationPage(model: ActivationModel): Html {
  const { siteTitle, applicationName } = model
  const body = html`<section class="pass authorize-api-key activate" aria-labelledby="asks">
<h1 id="asks" class="authorize-api-key__title">${quotedName(applicationName)} <span class="asks">on a device asks for access to your account on <bdi>${siteTitle}</bdi></span></h1>
<div class="authorize-api-key__user">
${portrait(model.user)}
<p><span class="quiet">Signed in as</span> <bdi class="authorize-api-key__username">${model.user.username}</bdi></p>
</div>
<h2>It will be able to</h2>
<ul class="authorize-api-key__scopes ticks">
${permissions(model.scopes)}</ul>
${model.writeWarning ? writeWarning : null}
${model.unregisteredClient ? unregisteredWarning : null}
${model.expiresAt === null ? neverExpires : null}
<dl class="facts">
${
  model.expiresAt === null
    ? null
    : html`<div class="authorize-api-key__expiry"><dt>Until</dt><dd><strong>${dateTag(model.expiresAt)}</strong> <span class="quiet">or until you take it back</span></dd></div>`
}
<div><dt>Goes to</dt><dd><strong>the device that shows the code</strong> <span class="quiet">Nothing is sent to this browser.</span></dd></div>
</dl>
${fineprint(model)}
${model.handle.by === 'link' ? elsewhere(model.handle.link) : null}
${model.handle.by === 'link' ? linkForm(model, model.handle) : approvalForm(model, model.handle)}
</section>
<p class="aside">If you did not start this on a device of yours, do not authorize it.</p>`
  return layout({ siteTitle, title: 'Authorize a device', width: 'narrow' }, body)
}

export interface ActivationDoneModel {
  readonly siteTitle: string
  readonly denied: boolean
}

/** The end of the device flow in the browser: nothing is left to do here. */
export function activationDonePage({ siteTitle, denied }: ActivationDoneModel): Html {
  const body = html`<section class="pass activate">
${
  denied
    ? html`<h1>You denied the request</h1>
<p class="lead">The app got no access, and your account is as it was.</p>
<p>Your device or terminal will notice in a moment. You can close this page.</p>`
    : html`<h1>The app has access now</h1>
<p class="lead">Go back to your device or terminal: it goes on by itself in a few seconds.</p>
<p>You can close this page. The access can be taken back whenever you like, on the page with <a href="${appsPath}">your apps</a>.</p>`
}
</section>`
  return layout({ siteTitle, title: denied ? 'Denied' : 'Done', width: 'narrow' }, body)
}

const writeWarning: Html = warning(
  html`<p><strong>This app will be able to post, edit and delete in your name.</strong></p>
<p>Authorize it only if you know it and trust it fully.</p>`,
  { className: 'authorize-api-key__write-warning' },
)

const unregisteredWarning: Html = warning(
  html`<p><strong>This site does not know this app.</strong></p>
<p>Apps choose their names themselves. Nobody has checked this one.</p>`,
  { className: 'authorize-api-key__unregistered-warning' },
)

const neverExpires: Html = warning(
  html`<p><strong>The access does not end by itself.</strong></p>
<p>It lasts until you take it back.</p>`,
  { className: 'authorize-api-key__no-expiry-warning' },
)

/** Who has only the link types the code here: it shows that the device is before them. */
function linkForm(
  model: ActivationModel,
  { requestToken, invalidCode }: { requestToken: string; invalidCode: boolean },
): Html {
  return html`<form class="pass__stub" method="post" action="${model.authorizeAction}">
${csrfField(model.csrfToken)}
<input type="hidden" name="request" value="${requestToken}">
${invalidCode ? codeProblem('invalid_code') : null}
${codeField({ failed: invalidCode, focus: invalidCode })}
<div class="authorize-api-key__buttons">
<button class="button button--primary" type="submit">Authorize</button>
<a class="button" href="/">Cancel</a>
</div>
</form>`
}

function approvalForm(model: ActivationModel, { approvalToken }: { approvalToken: string }): Html {
  return html`<form class="pass__stub" method="post" action="${model.authorizeAction}">
${csrfField(model.csrfToken)}
<input type="hidden" name="approval_token" value="${approvalToken}">
<div class="authorize-api-key__buttons">
<button class="button button--primary" type="submit">Authorize</button>
<button class="button" type="submit" formaction="${model.denyAction}">Deny</button>
</div>
</form>`
}

/** Under a request it takes the focus only after a wrong code: a small screen would scroll past what is asked for. */
function codeField({ failed, focus }: { failed: boolean; focus: boolean }): Html {
  return html`<div class="field">
<label for="code">Code</label>
<input class="activate__code" id="code" name="code" type="text" placeholder="ABCD-2345" autocomplete="one-time-code" autocapitalize="characters" autocorrect="off" spellcheck="false" maxlength="40" required${
    focus ? html` autofocus` : null
  }${failed ? html` aria-invalid="true" aria-describedby="code-problem"` : null}>
</div>`
}

function codeProblem(which: 'invalid_code' | 'expired_code'): Html {
  return which === 'invalid_code'
    ? problem(
        html`<p><strong>That is not the code</strong></p><p>Compare it with what your device shows, and type it again.</p>`,
        { id: 'code-problem' },
      )
    : problem(
        html`<p><strong>This request has run out</strong></p><p>It was decided on, it has expired, or somebody else has opened it. Start again on your device, and type the new code.</p>`,
        { id: 'code-problem' },
      )
}

/** For whoever has their passwords, or their account, on another device than this one. */
function elsewhere(link: string): Html {
  return html`<details class="developer activate__elsewhere">
<summary>Continue on another device</summary>
<div class="developer__body">
<p>Scan this with the device that you would rather use. You sign in and type the code there.</p>
${qrCode(link, 'Address of this page, to scan')}
<p class="activate__link"><a href="${link}">${link}</a></p>
</div>
</details>`
}

/** For whoever wants to look closer: what the request says in the protocol's own words. */
function fineprint({ scopes, clientId }: ActivationModel): Html {
  return html`<details class="developer">
<summary>Technical details</summary>
<div class="developer__body">
<dl class="plain">
${scopes.map(scopeFacts)}<div><dt>Client</dt><dd><code>${clientId}</code></dd></div>
</dl>
</div>
</details>`
}
