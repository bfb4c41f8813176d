import type { Route } from '../protocol/route.ts'
import { compileMatcher, matchRoute, type RouteMatcher } from '../protocol/route-matcher.ts'

/**
 * The routes on which a key may come in the address (protocol §10.1): feeds and calendars, which are read by programs
 * that cannot send headers. `extra` are a site owner's own. On any other route such parameters mean nothing.
 *
 * @throws TypeError for a pattern that is not well-formed
 */
export function compileQueryCredentials(extra: readonly RouteMatcher[] = []): (route: Route) => boolean {
  const matchers = [...protocolRoutes, ...extra].map((matcher) => compileMatcher(matcher))
  return (route) => {
    const request = { ...route, query: noQuery }
    return matchers.some((matcher) => matchRoute(matcher, request, null))
  }
}

/** Whether a key can be in the address at all; spares nearly every request the look at the routes. */
export function hasQueryCredentials(query: URLSearchParams): boolean {
  return query.has('user_api_key') || query.has('api_key')
}

const noQuery = new URLSearchParams()

const protocolRoutes: readonly RouteMatcher[] = [
  {
    methods: ['GET'],
    formats: ['rss'],
    paths: [
      '/posts',
      '/u/:username/activity',
      '/users/:username/activity',
      '/g/:group/posts',
      '/g/:group/mentions',
      '/groups/:group/posts',
      '/groups/:group/mentions',
      '/topics/created-by/:username',
      '/c/*',
      '/t/:slug/:id',
      '/badges/:id/:slug',
      '/tag/:tag',
      '/tag/:tag/l/:filter',
      '/tags/:tag',
      '/tags/:tag/l/:filter',
      '/tags/c/*',
      '/latest',
      '/unread',
      '/new',
      '/read',
      '/posted',
      '/bookmarks',
      '/top/all',
      '/top/yearly',
      '/top/quarterly',
      '/top/monthly',
      '/top/weekly',
      '/top/daily',
    ],
  },
  { methods: ['GET'], formats: ['ics'], paths: ['/u/:username/bookmarks', '/users/:username/bookmarks'] },
  { methods: ['POST'], paths: ['/admin/email/handle_mail'] },
]
