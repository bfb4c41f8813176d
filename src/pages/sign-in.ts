import type { Refusal } from '../protocol/errors.ts'
import { quotedName } from './app-name.ts'
import { csrfField } from './csrf-field.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { problem } from './notice.ts'
import { visitorText } from './visitor-text.ts'

export interface SignInModel {
  readonly siteTitle: string
  readonly csrfToken: string
  /** Where the form posts to: `/login`. */
  readonly action: string
  /** Where to go afterwards: a path on this site. */
  readonly redirect: string
  /** The name that was typed before. */
  readonly login?: string
  /** Why the attempt before this one failed. */
  readonly refusal?: Refusal
  /** The app whose request waits for the sign-in. */
  readonly applicationName?: string
  /** Another service at which one can sign in: what it is called, and the address that leads there. */
  readonly external?: { readonly label: string; readonly href: string }
}

/** Where a person signs in. The fields are `username`, `password` and `redirect`, as existing clients post them. */
export function signInPage(model: SignInModel): Html {
  const { siteTitle, login = '', refusal, applicationName, external } = model
  const failed = refusal !== undefined
  const passwordNext = login !== ''
  const body = html`<section class="pass">
<h1>Sign in</h1>
<p class="lead">${
    applicationName === undefined
      ? html`to your account on <bdi>${siteTitle}</bdi>`
      : html`to continue to ${quotedName(applicationName)}`
  }</p>
${failed ? failure(refusal) : null}
${external && html`<p><a class="button button--primary" href="${external.href}">Continue with <bdi>${external.label}</bdi></a></p>`}
<form class="fields" method="post" action="${model.action}">
${csrfField(model.csrfToken)}
<input type="hidden" name="redirect" value="${model.redirect}">
<div class="field">
<label for="username">Username</label>
<input id="username" name="username" type="text" value="${login}" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" maxlength="300" required${describedBy(failed)}${focus(!passwordNext)}>
</div>
<div class="field">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1000" required${describedBy(failed)}${focus(passwordNext)}>
</div>
<button class="button${external ? '' : html` button--primary`}" type="submit">Sign in</button>
</form>
</section>
${applicationName === undefined ? null : html`<p class="aside">You give your password to <bdi>${siteTitle}</bdi> only. The app never sees it.</p>`}`
  return layout({ siteTitle, title: 'Sign in', width: 'narrow' }, body)
}

function failure(refusal: Refusal): Html {
  const { title, lead } = visitorText(refusal)
  return problem(html`<p><strong>${title}</strong></p><p>${lead}</p>`, { id: 'sign-in-problem' })
}

function describedBy(failed: boolean): Html | null {
  return failed ? html` aria-invalid="true" aria-describedby="sign-in-problem"` : null
}

function focus(here: boolean): Html | null {
  return here ? html` autofocus` : null
}
