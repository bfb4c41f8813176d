import { csrfField } from './csrf-field.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { warning } from './notice.ts'
import { type Person, portrait } from './person.ts'
import { personNames } from './signed-in-as.ts'

export interface OneTimeSignInModel {
  readonly siteTitle: string
  /** Who will be signed in. */
  readonly user: Person
  /** The username of whoever is signed in at present, if somebody else is. */
  readonly signedInAs?: string
  /** Where the form posts to: `/session/otp/TOKEN`. */
  readonly action: string
  readonly csrfToken: string
}

/** Asks before a one-time password signs somebody in, so that no link can do it by itself (protocol §6.3). */
export function oneTimeSignInPage(model: OneTimeSignInModel): Html {
  const { siteTitle, user, signedInAs } = model
  const body = html`<section class="pass one-time">
<h1>Sign in to <bdi>${siteTitle}</bdi>?</h1>
<div class="authorize-api-key__user">
${portrait(user)}
<p><span class="quiet">You will be signed in as</span> ${personNames(user)}</p>
</div>
${
  signedInAs === undefined
    ? null
    : warning(html`<p><strong>At the moment you are signed in as <bdi>${signedInAs}</bdi>.</strong></p>
<p>If you go on, that ends in this browser.</p>`)
}
<form class="pass__stub" method="post" action="${model.action}">
${csrfField(model.csrfToken)}
<button class="button button--primary" type="submit">Sign in</button>
</form>
</section>
<p class="aside">If you did not just ask an app to open this site, or if that is not your account, close this page.</p>`
  return layout({ siteTitle, title: 'Sign in', width: 'narrow' }, body)
}
