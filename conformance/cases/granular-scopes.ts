import { makeKey, program } from '../admin-keys.ts'
import type { Case } from '../case.ts'
import { randomText } from '../crypto.ts'
import { check, equal, fields, matches, ok, refusal, status } from '../expect.ts'
import type { Site } from '../site.ts'

interface CatalogueEntry {
  readonly scope_id: string
  readonly key: string
  readonly name: string
  readonly params: readonly string[] | null
  readonly urls: readonly string[]
}

/** §11.7: scopes of API keys. */
export const granularCases: readonly Case[] = [
  {
    id: 'P-375',
    title: 'lists the scopes that there are',
    needs: ['admin'],
    async run(site) {
      for (const { entry } of await catalogue(site)) {
        fields(entry, ['scope_id', 'key', 'name', 'params', 'urls'], 'the scope')
      }
    },
  },
  {
    id: 'P-376',
    title: 'names scopes by resource and key',
    needs: ['admin'],
    async run(site) {
      for (const { resource, entry } of await catalogue(site)) {
        equal(entry.scope_id, `${resource}:${entry.key}`, 'scope_id')
        equal(entry.name, entry.key.replaceAll('_', ' '), 'name')
      }
    },
  },
  {
    id: 'P-377',
    title: 'tells the routes of a scope',
    needs: ['admin'],
    async run(site) {
      const all = await catalogue(site)
      for (const { entry } of all)
        for (const url of entry.urls) matches(url, /^(\/\S*|\*) \([A-Za-z|]+\)$/, 'the route')
      check(
        all.some(({ entry }) => entry.urls.length > 0),
        'no scope has a route',
      )
    },
  },
  {
    id: 'P-378',
    title: 'has the scopes of a forum',
    needs: ['admin', 'forum'],
    async run(site) {
      const ids = (await catalogue(site)).map(({ entry }) => entry.scope_id)
      for (const id of ['topics:write', 'topics:read', 'posts:edit', 'users:show', 'search:query']) {
        check(ids.includes(id), `there is no ${id}`)
      }
    },
  },
  {
    id: 'P-379',
    title: 'lets a granular key in to its routes alone',
    needs: ['admin', 'forum'],
    async run(site) {
      const { username } = await site.user()
      const api = await granular(site, [{ scope_id: 'users:show' }])
      status(await api.get(`/u/${username}.json`), 200)
      refusal(await api.get('/session/current.json'), 403, 'invalid_access')
      refusal(await api.put('/notifications/mark-read.json'), 403, 'invalid_access')
    },
  },
  {
    id: 'P-380',
    title: 'lets a key with several scopes in to the routes of each',
    needs: ['admin', 'forum'],
    async run(site) {
      const { username } = await site.user()
      const api = await granular(site, [{ scope_id: 'users:show' }, { scope_id: 'categories:list' }])
      status(await api.get(`/u/${username}.json`), 200)
      status(await api.get('/categories.json'), 200)
      refusal(await api.get('/latest.json'), 403, 'invalid_access')
    },
  },
  {
    id: 'P-381',
    title: 'holds a scope to the parameters that were given for it',
    needs: ['admin', 'forum'],
    async run(site) {
      const [mine, other] = [await site.user(), await site.secondUser()]
      const api = await granular(site, [{ scope_id: 'users:show', username: mine.username }])
      status(await api.get(`/u/${mine.username}.json`), 200)
      refusal(await api.get(`/u/${other.username}.json`), 403, 'invalid_access')
    },
  },
  {
    id: 'P-382',
    title: 'reads values with commas as a list',
    needs: ['admin', 'forum'],
    async run(site) {
      const scopes = [{ scope_id: 'topics:write', topic_id: '55,33,,' }]
      const { api_key_scopes: made } = (await makeKey(site, { scope_mode: 'granular', scopes })) as {
        api_key_scopes?: { allowed_parameters?: unknown }[]
      }
      equal(made?.[0]?.allowed_parameters, { topic_id: ['55', '33'] }, 'allowed_parameters')
    },
  },
  {
    id: 'P-383',
    title: 'reads a path parameter from the path alone',
    needs: ['admin', 'forum'],
    async run(site) {
      // Otherwise a key for one record reads any, with the allowed one in the query.
      const [mine, other] = [await site.user(), await site.secondUser()]
      const api = await granular(site, [{ scope_id: 'users:show', username: mine.username }])
      refusal(await api.get(`/u/${other.username}.json?username=${mine.username}`), 403, 'invalid_access')
    },
  },
  {
    id: 'P-384',
    title: 'demands a parameter that is held to values',
    needs: ['admin', 'forum'],
    async run(site) {
      const api = await granular(site, [{ scope_id: 'topics:write', topic_id: '999999999' }])
      const raw = `Written by the conformance suite with an API key, ${randomText()}.`
      const title = `A topic of the conformance suite ${randomText()}`
      refusal(await api.post('/posts.json', { title, raw }), 403, 'invalid_access')
      refusal(await api.post('/posts.json', { topic_id: '1', raw }), 403, 'invalid_access')
      const allowed = await api.post('/posts.json', { topic_id: '999999999', raw })
      check(
        allowed.status !== 403 || !allowed.text.includes('API username'),
        'the allowed topic is refused',
        allowed,
      )
    },
  },
  {
    id: 'P-385',
    title: 'drops parameters that the scope does not have',
    needs: ['admin', 'forum'],
    async run(site) {
      const scopes = [{ scope_id: 'topics:write', topic_id: '5', colour: 'green' }]
      const { api_key_scopes: made } = (await makeKey(site, { scope_mode: 'granular', scopes })) as {
        api_key_scopes?: { allowed_parameters?: unknown }[]
      }
      equal(made?.[0]?.allowed_parameters, { topic_id: ['5'] }, 'allowed_parameters')
    },
  },
  {
    id: 'P-386',
    title: 'tells a key its scopes',
    needs: ['admin', 'forum'],
    async run(site) {
      const narrow = await granular(site, [{ scope_id: 'users:show' }])
      const { scopes } = ok(await narrow.get('/session/scopes.json'))
      check(Array.isArray(scopes) && scopes.length === 1, 'there is not exactly one scope')
      fields(scopes[0], ['resource'], 'the scope')
      const wide = ok(await site.admin().get('/session/scopes.json'))
      check(Array.isArray(wide.scopes), 'scopes is no list')
    },
  },
  {
    id: 'P-387',
    title: 'tells nobody else about scopes',
    needs: ['user'],
    async run(site) {
      status(await site.visitor().get('/session/scopes.json'), 404)
      status(await (await site.user()).browser.get('/session/scopes.json'), 404)
    },
  },
]

async function granular(site: Site, scopes: readonly Readonly<Record<string, string>>[]) {
  return program(site, await makeKey(site, { scope_mode: 'granular', scopes }))
}

async function catalogue(site: Site): Promise<readonly { resource: string; entry: CatalogueEntry }[]> {
  const answer = await site.admin().get('/admin/api/keys/scopes.json')
  const scopes = (ok(answer).scopes ?? {}) as Readonly<Record<string, readonly CatalogueEntry[]>>
  const all = Object.entries(scopes).flatMap(([resource, entries]) =>
    entries.map((entry) => ({ resource, entry })),
  )
  check(all.length > 0, 'there are no scopes', answer)
  return all
}
