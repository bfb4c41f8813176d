import { quotedName } from './app-name.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { type Permission, permissions } from './permissions.ts'

export interface ResultModel {
  readonly siteTitle: string
  /** Free text from a stranger. */
  readonly applicationName: string
  /** The sealed payload in Base64, on one line. */
  readonly payload: string
  /** What the key may do, shown where a part of it is narrowed. Default: nothing. */
  readonly scopes?: readonly Permission[]
}

/**
 * The sealed payload, for the user to carry over to the app (protocol §3.3). Programs read this page too: the payload
 * is the text of the page's first `<code>`, on one line that ends with a line break, and nothing may come before it in
 * a `<code>` of its own.
 */
export function resultPage(model: ResultModel): Html {
  const { siteTitle } = model
  const body = html`<section class="pass">
<h1>One more step</h1>
<p class="lead">Copy this key and paste it into ${quotedName(model.applicationName)}.</p>
<div class="user-api-key-display">
<p class="user-api-key-display__label" id="payload-label">Your sealed key</p>
<div class="user-api-key-display__text" role="region" aria-labelledby="payload-label" tabindex="0"><code id="user-api-key-payload">${model.payload}
</code></div>
<button class="button button--primary" id="copy-api-key-btn" type="button">Copy Key</button>
</div>
<p class="hint">It is sealed: only the app that asked can open it. It is shown this once. If you lose it, start again in the app.</p>
${reminder(model.scopes ?? [])}
</section>
<p class="aside">Once it is pasted, you can close this page.</p>`
  return layout({ siteTitle, title: 'Copy your key', width: 'narrow', scripts: ['copy.js'] }, body)
}

/** Behind the payload, whose `<code>` must be the first. */
function reminder(scopes: readonly Permission[]): Html | null {
  if (!scopes.some(({ allowedParameters }) => Object.keys(allowedParameters ?? {}).length > 0)) return null
  return html`<h2>With it, the app can</h2>
<ul class="ticks">
${permissions(scopes)}</ul>`
}
