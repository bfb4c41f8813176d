import { countUnreadNotifications } from './notifications.ts'
import { type Html, layout, type Shell } from './pages/layout.ts'
import type { ForumParts, Visit } from './visit.ts'

/** What a page says of itself. */
export interface PageOptions {
  /** Empty for the front page. */
  readonly title: string
  /** What is in the search box. Default empty. */
  readonly query?: string
  /** The path of the page's feed. */
  readonly feed?: string
  /** Default 200. */
  readonly status?: number
}

/** Renders a page for a browser: `body` gets the shell, with the CSRF token for its forms. */
export async function renderPage(
  forum: ForumParts,
  visit: Visit,
  options: PageOptions,
  body: (shell: Shell) => Html,
): Promise<Response> {
  const { viewer, identity, request } = visit
  // Only a browser's session needs a token, and only it should be given a cookie.
  const csrf = identity?.via === 'session' ? forum.hallpass.csrf(request) : undefined
  const url = new URL(request.url)
  const shell: Shell = {
    siteTitle: forum.hallpass.settings().title,
    title: options.title,
    viewer: viewer && {
      username: viewer.username,
      unread: (await countUnreadNotifications(forum.db, viewer)).all,
    },
    csrfToken: csrf?.token,
    here: request.method === 'GET' ? url.pathname + url.search : '/',
    query: options.query ?? '',
    feed: options.feed,
  }
  const html = await layout(shell, await body(shell))
  const headers = new Headers({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': contentSecurityPolicy,
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    vary: 'Accept, Cookie',
  })
  if (csrf?.setCookie !== undefined) headers.append('set-cookie', csrf.setCookie)
  return new Response(html.toString(), { status: options.status ?? 200, headers })
}

/** Nothing runs on the forum's pages and nothing comes from elsewhere, so nothing else is allowed. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')
