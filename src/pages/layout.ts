import { type AssetName, assetUrl } from './assets.ts'
import { csrfField } from './csrf-field.ts'
import { type Html, html } from './html.ts'
import { mark } from './icons.ts'
import { appsPath, errorDocsPath } from './paths.ts'

/** What surrounds a page. */
export interface Shell {
  readonly siteTitle: string
  /** The page's own title, without the site's. Holds no text from strangers. */
  readonly title: string
  /** `narrow`: one thing to do, nothing that leads elsewhere. `wide`: something to read. */
  readonly width: 'narrow' | 'wide'
  /** Scripts that make the page more comfortable; it works without them. */
  readonly scripts?: readonly AssetName[]
  /** Who is signed in, where the page says so at its top. */
  readonly account?: {
    readonly username: string
    /** Where the button «Sign out» posts to. Default: there is none. */
    readonly signOutAction?: string
    readonly csrfToken: string
  }
}

/** A whole page around `body`, which is what stands in `<main>` and holds the page's only `<h1>`. */
export function layout(shell: Shell, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#f5f4ef" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#121513" media="(prefers-color-scheme: dark)">
<meta name="robots" content="noindex">
<title>${shell.title} · ${shell.siteTitle}</title>
<link rel="icon" type="image/svg+xml" href="${assetUrl('favicon.svg')}">
<link rel="stylesheet" href="${assetUrl('hallpass.css')}">
${(shell.scripts ?? []).map((name) => html`<script type="module" src="${assetUrl(name)}"></script>\n`)}</head>
<body class="${shell.width}">
${shell.width === 'wide' ? html`<a class="skip" href="#main">Skip to the content</a>` : null}
<header class="site">
<a class="brand" href="/">${mark}<bdi>${shell.siteTitle}</bdi></a>
${shell.account === undefined ? null : account(shell.account)}
</header>
<main id="main" tabindex="-1">
${body}
</main>
${shell.width === 'wide' ? footer : null}
</body>
</html>
`
}

const footer: Html = html`<footer class="foot">
<nav aria-label="Hallpass">
<a href="${appsPath}">Your apps</a>
<a href="${errorDocsPath}">Error reference</a>
</nav>
</footer>`

function account({ username, signOutAction, csrfToken }: NonNullable<Shell['account']>): Html {
  return html`<div class="account">
<span class="account__name"><span class="quiet">Signed in as</span> <bdi>${username}</bdi></span>
${
  signOutAction === undefined
    ? null
    : html`<form method="post" action="${signOutAction}">${csrfField(csrfToken)}<button class="button button--small" type="submit">Sign out</button></form>`
}
</div>`
}
