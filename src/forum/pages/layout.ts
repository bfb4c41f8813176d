import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { mark } from '../../pages/icons.ts'

/** HTML in which every value has been escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** What surrounds every page. */
export interface Shell {
  readonly siteTitle: string
  /** The page's own title; empty for the front page. */
  readonly title: string
  /** Undefined for somebody who is not signed in. */
  readonly viewer: { readonly username: string; readonly unread: number } | undefined
  /** Goes with every form that changes something; undefined without a browser session. */
  readonly csrfToken: string | undefined
  /** Path and query of this page, to come back to after signing in. */
  readonly here: string
  /** What is in the search box. */
  readonly query: string
  /** The address of this page's feed, if it has one. */
  readonly feed: string | undefined
}

/** A whole page around `body`. */
export function layout(shell: Shell, body: Html): Html {
  const title = shell.title === '' ? shell.siteTitle : `${shell.title} · ${shell.siteTitle}`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="/forum/assets/forum.css">
<link rel="icon" type="image/svg+xml" href="/forum/assets/icon.svg">
${shell.feed === undefined ? '' : html`<link rel="alternate" type="application/rss+xml" title="${title}" href="${shell.feed}">`}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="site-header">
<div class="bar">
<a class="brand" href="/">${mark}<span>${shell.siteTitle}</span></a>
<form class="search" role="search" action="/search" method="get">
<label class="hidden" for="search">Search</label>
<input id="search" type="search" name="q" value="${shell.query}" placeholder="Search" maxlength="200">
</form>
<nav class="account" aria-label="Account">${shell.viewer === undefined ? signIn(shell) : account(shell, shell.viewer)}</nav>
</div>
</header>
<main id="main">
${body}
</main>
<footer class="site-footer">
<nav aria-label="Site"><a href="/latest">Latest</a> <a href="/categories">Categories</a> <a href="/latest.rss">Feed</a></nav>
</footer>
</body>
</html>`
}

/** The hidden field that a form with a change in it carries. */
export function csrfField(shell: Shell): Html {
  return html`<input type="hidden" name="authenticity_token" value="${shell.csrfToken ?? ''}">`
}

/** Where to sign in and come back from to `path`. */
export function signInPath(path: string): string {
  return `/login?redirect=${encodeURIComponent(path)}`
}

/** A user's picture. Empty alternative text: the name stands beside it. */
export function avatar(username: string, size: 20 | 28 | 40 | 72): Html {
  const source = `/forum/avatar/${encodeURIComponent(username.toLowerCase())}/${size * 2}.svg`
  return html`<img class="avatar" src="${source}" width="${size}" height="${size}" alt="" loading="lazy">`
}

/** A point in time as a reader says it, with the whole of it in the tooltip. */
export function timeTag(at: number, now: number): Html {
  const iso = new Date(at).toISOString()
  const full = `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
  return html`<time datetime="${iso}" title="${full}">${sayTime(at, now)}</time>`
}

/** Links to the pages before and after. `path` maps a page number to its address. */
export function pager(
  page: number,
  options: { first: number; hasMore: boolean; path: (page: number) => string },
): Html {
  if (page <= options.first && !options.hasMore) return html``
  return html`<nav class="pager" aria-label="Pages">
${page > options.first ? html`<a rel="prev" href="${options.path(page - 1)}">← Previous page</a>` : html`<span></span>`}
${options.hasMore ? html`<a rel="next" href="${options.path(page + 1)}">Next page →</a>` : ''}
</nav>`
}

function signIn(shell: Shell): Html {
  return html`<a class="button primary" href="${signInPath(shell.here)}">Sign in</a>`
}

function account(shell: Shell, viewer: { readonly username: string; readonly unread: number }): Html {
  const profile = `/u/${encodeURIComponent(viewer.username)}`
  const label = viewer.unread === 0 ? 'Notifications' : `Notifications, ${viewer.unread} unread`
  return html`<a class="bell" href="${profile}/notifications" aria-label="${label}" title="Notifications">${bell}${
    viewer.unread === 0 ? '' : html`<span class="count">${viewer.unread > 99 ? '99+' : viewer.unread}</span>`
  }</a>
<details class="menu">
<summary>${avatar(viewer.username, 28)}<span class="menu-name"><bdi>${viewer.username}</bdi></span></summary>
<div class="menu-items">
<a href="${profile}">Profile</a>
<a href="${profile}/messages">Messages</a>
<a href="${profile}/preferences/apps">Apps</a>
${
  shell.csrfToken === undefined
    ? ''
    : html`<form method="post" action="/hallpass/sign-out">${csrfField(shell)}<button type="submit">Sign out</button></form>`
}
</div>
</details>`
}

function sayTime(at: number, now: number): string {
  const minutes = Math.floor((now - at) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ago`
  const days = Math.floor(hours / 24)
  if (days < 30) return days === 1 ? 'yesterday' : `${days} days ago`
  return new Date(at).toISOString().slice(0, 10)
}

const bell: Html = html`<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" d="M6 10a6 6 0 0 1 12 0c0 5 2 6 2 6H4s2-1 2-6Zm4 9.5a2.2 2.2 0 0 0 4 0"/></svg>`
