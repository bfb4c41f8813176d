import type { Case, Need } from '../case.ts'
import { randomText } from '../crypto.ts'
import { check, equal, noFault, ok, refusal, status } from '../expect.ts'
import type { IssuedKey, Site } from '../site.ts'

const current = '/session/current.json'
const markRead = '/notifications/mark-read.json'

/** §10.4 and §10.5: what scopes permit, and how routes are told apart. */
export const scopeCases: readonly Case[] = [
  permits(
    'P-321',
    'read',
    ['GET', current],
    ['GET', '/notifications.json'],
    ['GET', '/site/basic-info.json'],
  ),
  forbids(
    'P-322',
    'read',
    ['POST', '/posts.json'],
    ['PUT', markRead],
    ['DELETE', '/posts/1.json'],
    ['POST', '/user-api-key/undo-revoke.json'],
  ),
  permits('P-323', 'write', ['GET', current], ['GET', '/notifications.json']),
  {
    id: 'P-324',
    title: 'lets a key with write post in its user’s name',
    needs: ['user', 'forum'],
    async run(site) {
      const { username } = await site.user()
      const { api } = await site.approve({ scopes: 'write' })
      const json = {
        title: `A topic by the conformance suite ${randomText()}`,
        raw: `This was written with a user API key by the conformance suite, ${randomText()}.`,
      }
      equal(ok(await api.ask('/posts.json', { json })).username, username, 'the author')
    },
  },
  permits('P-325', 'write', ['PUT', markRead], ['DELETE', '/posts/999999999.json']),
  permits('P-326', 'session_info', ['GET', current], ['GET', '/session/current']),
  {
    id: 'P-327',
    title: 'lets session_info read what its user tracks',
    needs: ['user', 'forum'],
    async run(site) {
      const { username } = await site.user()
      const { api } = await site.approve({ scopes: 'session_info' })
      for (const root of ['users', 'u']) {
        status(await api.get(`/${root}/${username}/topic-tracking-state.json`), 200)
      }
    },
  },
  forbids(
    'P-328',
    'session_info',
    ['GET', '/notifications.json'],
    ['GET', '/latest.json'],
    ['PUT', markRead],
  ),
  permits('P-329', 'notifications', ['GET', '/notifications.json'], ['GET', '/notifications']),
  permits('P-330', 'notifications', ['GET', '/notifications/totals.json']),
  permits('P-331', 'notifications', ['PUT', markRead], ['PUT', '/notifications/read.json']),
  permits('P-332', 'notifications', ['POST', busPath()]),
  forbids('P-333', 'notifications', ['GET', current], ['GET', '/latest.json'], ['POST', '/posts.json']),
  permits('P-334', 'message_bus', ['POST', busPath()]),
  forbids('P-335', 'message_bus', ['GET', current], ['GET', '/notifications.json'], ['POST', '/posts.json']),
  forbids('P-336', 'push', ['GET', current], ['GET', '/notifications.json'], ['POST', busPath()]),
  {
    ...forbids('P-337', 'one_time_password', ['GET', current], ['GET', '/notifications.json']),
    needs: ['user', 'otp'],
  },
  permits(
    'P-338',
    'session_info,notifications',
    ['GET', current],
    ['GET', '/notifications.json'],
    ['PUT', markRead],
  ),
  {
    id: 'P-339',
    title: 'lets no user’s key administer',
    needs: ['admin'],
    async run(site) {
      const { api } = await site.approve({ scopes: 'read,write' })
      status(await api.get('/admin/api/keys.json'), 403, 404)
      status(await api.ask('/admin/api/keys.json', { json: { key: { description: 'x' } } }), 403, 404)
      status(await api.put('/admin/site_settings/title.json', { title: 'x' }), 403, 404)
    },
  },
  {
    id: 'P-340',
    title: 'refuses for want of a scope with 403 and invalid_access',
    needs: ['user'],
    async run(site) {
      const { api } = await site.approve({ scopes: 'session_info' })
      refusal(await api.get('/notifications.json'), 403, 'invalid_access')
      refusal(await api.put('/notifications/mark-read.json'), 403, 'invalid_access')
    },
  },
  {
    id: 'P-341',
    title: 'goes by the route, with and without .json',
    needs: ['user'],
    async run(site) {
      const { api } = await site.approve({ scopes: 'session_info' })
      for (const suffix of ['', '.json']) {
        status(await api.get(`/session/current${suffix}`), 200)
        refusal(await api.get(`/notifications${suffix}`), 403, 'invalid_access')
      }
    },
  },
  ...evasionCases(),
]

type RouteOf = readonly [method: string, path: string]

function permits(id: Case['id'], scopes: string, ...routes: readonly RouteOf[]): Case {
  return {
    id,
    title: `lets ${scopes.replace(',', ' and ')} ${routes.map((route) => route.join(' ')).join(', ')}`,
    needs: needsOf(routes),
    async run(site) {
      const key = await site.approve({ scopes })
      for (const route of routes) {
        const answer = noFault(await ask(key, route))
        check(answer.status !== 403, `${route.join(' ')} is refused`, answer)
      }
    },
  }
}

function forbids(id: Case['id'], scopes: string, ...routes: readonly RouteOf[]): Case {
  return {
    id,
    title: `keeps ${scopes} from ${routes.map((route) => route.join(' ')).join(', ')}`,
    needs: needsOf(routes),
    async run(site) {
      const key = await site.approve({ scopes })
      for (const route of routes) refusal(await ask(key, route), 403, 'invalid_access')
    },
  }
}

function needsOf(routes: readonly RouteOf[]): readonly Need[] {
  const ofForum = routes.some(([, path]) => /^\/(posts|latest|notifications|message-bus)/.test(path))
  return ofForum ? ['user', 'forum'] : ['user']
}

function ask({ api }: IssuedKey, [method, path]: RouteOf) {
  return api.ask(path, { method, ...(method === 'GET' ? {} : { form: {} }) })
}

/** `dlp=t` asks for an answer at once. */
function busPath(): string {
  return `/message-bus/${randomText(16)}/poll?dlp=t`
}

/** The router and the scopes must mean the same route, or a narrow key reads what a wide one may. */
function evasionCases(): readonly Case[] {
  const reaches = async (site: Site, paths: readonly string[]): Promise<void> => {
    const { api } = await site.approve({ scopes: 'session_info' })
    for (const path of paths) {
      const answer = noFault(await api.get(path))
      const told = answer.status === 200 && answer.text.includes('"notifications"')
      check(!told, `${path} tells the notifications`, answer)
    }
  }
  return [
    {
      id: 'P-342',
      title: 'lets no spelling of a path open another route',
      needs: ['user', 'forum'],
      run: (site) =>
        reaches(site, [
          '//notifications.json',
          '/notif%69cations.json',
          '/NOTIFICATIONS.json',
          '/./notifications.json',
          '/session/current/../../notifications.json',
          '/session/../notifications.json',
          '/session/current%2f..%2f..%2fnotifications.json',
          '/session/%2e%2e/notifications.json',
          '/session/current/%2e%2e/%2e%2e/notifications.json',
          '/notifications.json;/session/current',
          '/notifications.json?/session/current',
          '/notifications%2ejson',
          '/notifications/',
        ]),
    },
    {
      id: 'P-343',
      title: 'lets no method in a header or parameter count for more',
      needs: ['user'],
      async run(site) {
        const { api } = await site.approve({ scopes: 'read' })
        const request = await site.request()
        for (const headers of [{ 'X-HTTP-Method-Override': 'GET' }, { 'X-Method-Override': 'GET' }, {}]) {
          for (const search of ['', '?_method=GET']) {
            const answer = noFault(await api.post(`/user-api-key.json${search}`, request, { headers }))
            check(!answer.text.includes('"payload"'), 'a key was issued', answer)
          }
        }
        const kept = await api.get(`${current}?_method=DELETE`, {
          headers: { 'X-HTTP-Method-Override': 'DELETE' },
        })
        status(kept, 200, 403)
      },
    },
    {
      id: 'P-344',
      title: 'lets no suffix open another route',
      needs: ['user', 'forum'],
      run: (site) =>
        reaches(site, [
          '/notifications/session/current.json',
          '/notifications.json/session/current',
          '/notifications.json/session/current.json',
          '/session/current.json/notifications.json',
          '/notifications.json.json',
        ]),
    },
  ]
}
