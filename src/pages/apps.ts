import { quotedName } from './app-name.ts'
import { csrfField } from './csrf-field.ts'
import { dateTag, timeTag } from './dates.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { appsPath } from './paths.ts'
import { type Permission, permissions } from './permissions.ts'
import type { Person } from './person.ts'

/** A user API key, as its owner sees it. Times are in milliseconds since the epoch. */
export interface ApprovedApp {
  readonly id: number
  /** Free text from a stranger. */
  readonly applicationName: string
  readonly clientId: string
  readonly scopes: readonly Permission[]
  readonly createdAt: number
  /** Null for never. */
  readonly lastUsedAt: number | null
  /** How many requests it has made, as far as they are written; a crash loses the last seconds of them. */
  readonly useCount: number
  /** Null for never. */
  readonly expiresAt: number | null
  /** Null when it is not revoked. */
  readonly revokedAt: number | null
}

export interface AppsModel {
  readonly siteTitle: string
  readonly user: Person
  readonly csrfToken: string
  /** Where «Sign out» posts to. Default: it is not offered. */
  readonly signOutAction?: string
  /** In the order in which they are shown. */
  readonly apps: readonly ApprovedApp[]
  /** The time at which the page is made, in milliseconds since the epoch. */
  readonly now: number
}

/** What a user has approved, and the way to take it back (protocol §8.8). */
export function appsPage(model: AppsModel): Html {
  const { siteTitle, user, csrfToken, apps, signOutAction } = model
  const revoked = apps.filter(({ revokedAt }) => revokedAt !== null)
  const approved = apps.filter((app) => !revoked.includes(app))
  const body = html`<header class="page-head">
<h1>Your apps</h1>
${approved.length === 0 ? null : html`<p class="lead">These apps can use your account on <bdi>${siteTitle}</bdi>, each within what you allowed it.</p>`}
</header>
${
  approved.length === 0
    ? empty(siteTitle)
    : html`<h2 class="hidden">With access</h2>
<ul class="apps">${approved.map((app) => card(app, model))}</ul>`
}
${
  revoked.length === 0
    ? null
    : html`<section class="revoked" aria-labelledby="revoked">
<h2 id="revoked">Revoked</h2>
<p class="quiet">These apps have lost their access. If you revoked one by mistake, undo it, and its key works again.</p>
<ul class="apps">${revoked.map((app) => card(app, model))}</ul>
</section>`
}`
  return layout(
    {
      siteTitle,
      title: 'Your apps',
      width: 'wide',
      scripts: ['time.js'],
      account: {
        username: user.username,
        csrfToken,
        ...(signOutAction === undefined ? {} : { signOutAction }),
      },
    },
    body,
  )
}

function empty(siteTitle: string): Html {
  return html`<div class="empty">
<div class="empty__card" aria-hidden="true"></div>
<h2>No app can use your account</h2>
<p>When an app asks for access, you see what it wants to do and decide. Each app that you authorize appears here, and you can take its access back at any time.</p>
<p><a class="button" href="/">Go to <bdi>${siteTitle}</bdi></a></p>
</div>`
}

function card(app: ApprovedApp, { csrfToken, now }: AppsModel): Html {
  const anchor = `app-${app.id}`
  return html`
<li id="${anchor}" class="${app.revokedAt === null ? 'app' : 'app app--revoked'}">
<div class="app__head">
<h3 id="${anchor}-name">${quotedName(app.applicationName)}</h3>
${badge(app, now)}
</div>
<p class="hidden">It may:</p>
<ul class="ticks">${permissions(app.scopes)}</ul>
<dl class="facts facts--row">
<div><dt>Approved</dt><dd>${dateTag(app.createdAt)}</dd></div>
<div><dt>Last used</dt><dd>${app.lastUsedAt === null ? 'never' : timeTag(app.lastUsedAt, { relative: true })}</dd></div>
<div><dt>Used</dt><dd>${times(app.useCount)}</dd></div>
${lastFact(app, now)}
</dl>
<form class="app__action" method="post" action="${app.revokedAt === null ? '/user-api-key/revoke' : '/user-api-key/undo-revoke'}">
${csrfField(csrfToken)}
<input type="hidden" name="id" value="${app.id}">
<input type="hidden" name="redirect" value="${appsPath}#${anchor}">
<button class="button button--small${app.revokedAt === null ? ' button--danger' : ''}" type="submit" aria-describedby="${anchor}-name">${app.revokedAt === null ? 'Revoke' : 'Undo'}</button>
</form>
</li>`
}

function badge(app: ApprovedApp, now: number): Html | null {
  if (app.revokedAt !== null) return html`<span class="badge">Revoked</span>`
  return isExpired(app, now) ? html`<span class="badge">Expired</span>` : null
}

function times(count: number): string {
  if (count === 0) return 'never'
  return count === 1 ? 'once' : `${count.toLocaleString('en')} times`
}

function lastFact(app: ApprovedApp, now: number): Html {
  if (app.revokedAt !== null) {
    return html`<div><dt>Revoked</dt><dd>${timeTag(app.revokedAt, { relative: true })}</dd></div>`
  }
  if (app.expiresAt === null) return html`<div><dt>Expires</dt><dd>never</dd></div>`
  const word = isExpired(app, now) ? 'Expired' : 'Expires'
  return html`<div><dt>${word}</dt><dd>${dateTag(app.expiresAt)}</dd></div>`
}

function isExpired({ expiresAt }: ApprovedApp, now: number): boolean {
  return expiresAt !== null && expiresAt <= now
}
