import type { Refusal } from '../protocol/errors.ts'
import { quotedName } from './app-name.ts'
import { developerDetails } from './developer-details.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { errorDocsPath } from './paths.ts'

export interface SignInAtApplicationModel {
  readonly siteTitle: string
  /** Where the visitor goes on once they have signed in; a path of this site. */
  readonly goOn: string
  readonly refusal: Refusal
  /** The app that waits, in its own words. Absent when nobody but the visitor wants to sign in. */
  readonly applicationName?: string
}

/** For a visitor who is not signed in, where only the application itself knows how one does that. */
export function signInAtApplicationPage(model: SignInAtApplicationModel): Html {
  const { siteTitle, goOn, refusal, applicationName } = model
  const body = html`<section class="pass">
<h1>Please sign in to <bdi>${siteTitle}</bdi> first</h1>
${
  applicationName === undefined
    ? html`<p class="lead">What you asked for is only there for somebody who is signed in.</p>`
    : html`<p class="lead">${quotedName(applicationName)} asks for access to your account. So that you can decide, the site has to know who you are.</p>`
}
<p>Sign in as you always do, in this browser. Then come back to this page and go on.</p>
<p class="actions"><a class="button button--primary" href="${goOn}">I have signed in</a> <a class="button" href="/">Go to <bdi>${siteTitle}</bdi></a></p>
${developerDetails(refusal, {
  summary: 'What exactly was wrong',
  docsUrl: `${errorDocsPath}/${refusal.reason}`,
})}
</section>`
  return layout({ siteTitle, title: 'Please sign in first', width: 'narrow' }, body)
}
