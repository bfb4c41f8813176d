import { type Json, makeKey, keysPath as path, program } from '../admin-keys.ts'
import type { Case, CaseSection } from '../case.ts'
import { check, equal, fields, matches, ok, refusal, status } from '../expect.ts'
import type { Site } from '../site.ts'
import { granularCases } from './granular-scopes.ts'

const unknown = `${path}/999999999`

/** §11: administrators' API keys. */
export const apiKeyCases: CaseSection = {
  section: 11,
  title: 'API keys',
  cases: [
    ...accessCases(),
    ...listCases(),
    ...showCases(),
    ...makeCases(),
    ...changeCases(),
    ...granularCases,
  ],
}

async function list(site: Site, search = ''): Promise<{ keys: Json[]; offset: unknown; limit: unknown }> {
  const body = ok(await site.admin().get(`${path}.json${search}`))
  check(Array.isArray(body.keys), 'keys is no list')
  return body as { keys: Json[]; offset: unknown; limit: unknown }
}

function accessCases(): readonly Case[] {
  return [
    {
      id: 'P-345',
      title: 'does not exist for those who are not administrators',
      needs: ['admin'],
      async run(site) {
        const moderator = await site.newUser()
        await site.changeUser(moderator, 'grant_moderation')
        for (const visitor of [site.visitor(), (await site.user()).browser, moderator.browser]) {
          status(await visitor.get(`${path}.json`), 404)
        }
        status(await (await site.user()).browser.ask(`${path}.json`, { json: { key: {} } }), 404)
      },
    },
    {
      id: 'P-346',
      title: 'lets administrators in, by session and by API key',
      needs: ['admin'],
      async run(site) {
        status(await site.admin().get(`${path}.json`), 200)
        status(await (await site.newAdministrator()).browser.get(`${path}.json`), 200)
      },
    },
  ]
}

function listCases(): readonly Case[] {
  return [
    {
      id: 'P-347',
      title: 'lists keys with offset and limit',
      needs: ['admin'],
      run: async (site) => fields(await list(site), ['keys', 'offset', 'limit'], 'the answer'),
    },
    {
      id: 'P-348',
      title: 'lists 50 at most',
      needs: ['admin'],
      async run(site) {
        const { offset, limit } = await list(site)
        equal([Number(offset), Number(limit)], [0, 50], 'offset and limit')
        const answer = status(await site.admin().get(`${path}.json?limit=51`), 200, 400)
        if (answer.status === 200) equal(Number(ok(answer).limit), 50, 'limit')
      },
    },
    {
      id: 'P-349',
      title: 'pages without repeating or leaving out',
      needs: ['admin'],
      async run(site) {
        for (let count = 0; count < 5; count += 1) await makeKey(site)
        const all = (await list(site)).keys.slice(0, 8).map(({ id }) => id)
        const paged = []
        for (let offset = 0; offset < all.length; offset += 3) {
          paged.push(...(await list(site, `?offset=${offset}&limit=3`)).keys.map(({ id }) => id))
        }
        equal(paged.slice(0, all.length), all, 'the ids on the pages')
      },
    },
    {
      id: 'P-350',
      title: 'lists newest first, and revoked ones last',
      needs: ['admin'],
      async run(site) {
        const [a, b, c, d] = [
          await makeKey(site),
          await makeKey(site),
          await makeKey(site),
          await makeKey(site),
        ]
        for (const { id } of [c, a]) {
          ok(await site.admin().post(`${path}/${id}/revoke.json`))
          await new Promise((resolve) => setTimeout(resolve, 1100))
        }
        const ours = [a.id, b.id, c.id, d.id]
        const order: unknown[] = []
        for (let offset = 0; offset < 500 && order.length < 4; offset += 50) {
          order.push(...(await list(site, `?offset=${offset}`)).keys.map(({ id }) => id))
        }
        const found = order.filter((id) => ours.includes(id as number))
        equal(found, [d.id, b.id, a.id, c.id], 'the order of the ids')
      },
    },
    {
      id: 'P-351',
      title: 'lists what a key is',
      needs: ['admin'],
      async run(site) {
        const { id } = await makeKey(site)
        const entry = (await list(site)).keys.find((one) => one.id === id)
        fields(
          entry,
          [
            'id',
            'truncated_key',
            'description',
            'created_at',
            'last_used_at',
            'revoked_at',
            'user',
            'created_by',
          ],
          'the entry',
        )
      },
    },
    {
      id: 'P-352',
      title: 'lists no key’s text',
      needs: ['admin'],
      async run(site) {
        const { key } = await makeKey(site)
        const { text } = await site.admin().get(`${path}.json`)
        check(!text.includes(key), 'the key’s text is there')
      },
    },
  ]
}

function showCases(): readonly Case[] {
  return [
    {
      id: 'P-353',
      title: 'shows a key without its text',
      needs: ['admin'],
      async run(site) {
        const made = await makeKey(site)
        const answer = await site.admin().get(`${path}/${made.id}.json`)
        const { key } = ok(answer) as { key?: Json }
        equal(key?.id, made.id, 'the id', answer)
        check(!answer.text.includes(made.key), 'the key’s text is there', answer)
      },
    },
    {
      id: 'P-354',
      title: 'shows a key’s scopes',
      needs: ['admin', 'forum'],
      async run(site) {
        const { id } = await makeKey(site, {
          scope_mode: 'granular',
          scopes: [{ scope_id: 'topics:write', topic_id: '7' }],
        })
        const { key } = ok(await site.admin().get(`${path}/${id}.json`)) as {
          key?: { api_key_scopes?: Json[] }
        }
        const [scope] = key?.api_key_scopes ?? []
        fields(scope, ['resource', 'action', 'parameters', 'allowed_parameters'], 'the scope')
        equal([scope?.resource, scope?.action], ['topics', 'write'], 'resource and action')
      },
    },
    {
      id: 'P-355',
      title: 'shows no key of an unknown id',
      needs: ['admin'],
      run: async (site) => {
        refusal(await site.admin().get(`${unknown}.json`), 404, 'not_found')
      },
    },
  ]
}

function makeCases(): readonly Case[] {
  const refused = async (site: Site, json: Json, expected: number, type?: string): Promise<void> => {
    const answer = status(await site.admin().ask(`${path}.json`, { json }), expected)
    if (type !== undefined) refusal(answer, expected, type)
  }
  return [
    {
      id: 'P-356',
      title: 'makes keys of 64 hexadecimal characters',
      needs: ['admin'],
      run: async (site) => {
        matches((await makeKey(site)).key, /^[0-9a-f]{64}$/, 'the key')
      },
    },
    {
      id: 'P-357',
      title: 'tells the first four characters',
      needs: ['admin'],
      async run(site) {
        const { key, truncated_key } = await makeKey(site)
        equal(truncated_key, key.slice(0, 4), 'truncated_key')
      },
    },
    {
      id: 'P-358',
      title: 'makes a key that works at once',
      needs: ['admin'],
      run: async (site) => {
        status(await (await program(site, await makeKey(site))).get('/session/current.json'), 200)
      },
    },
    {
      id: 'P-359',
      title: 'makes a key for all users',
      needs: ['admin'],
      async run(site) {
        const { key, user } = await makeKey(site)
        equal(user ?? null, null, 'user')
        for (const { username } of [await site.user(), await site.secondUser()]) {
          const api = site.program({ 'Api-Key': key, 'Api-Username': username })
          const { current_user: who } = ok(await api.get('/session/current.json')) as { current_user?: Json }
          equal(who?.username, username, 'whom it acts for')
        }
      },
    },
    {
      id: 'P-360',
      title: 'makes a key for one user',
      needs: ['admin'],
      async run(site) {
        const { username } = await site.user()
        const { key, user } = await makeKey(site, { username })
        equal((user as Json | null)?.username, username, 'user')
        const other = site.program({ 'Api-Key': key, 'Api-Username': (await site.secondUser()).username })
        refusal(await other.get('/session/current.json'), 403, 'invalid_access')
      },
    },
    {
      id: 'P-361',
      title: 'tells who made the key',
      needs: ['admin'],
      async run(site) {
        const { created_by: by } = (await makeKey(site)) as { created_by?: Json }
        equal(String(by?.username).toLowerCase(), site.adminUsername().toLowerCase(), 'created_by')
      },
    },
    {
      id: 'P-362',
      title: 'refuses a request without key',
      needs: ['admin'],
      async run(site) {
        for (const json of [{}, { key: 'x' }, { description: 'x' }]) await refused(site, json, 400)
      },
    },
    {
      id: 'P-363',
      title: 'refuses a user who does not exist',
      needs: ['admin'],
      run: (site) => refused(site, { key: { description: 'x', username: 'no_such_user_here' } }, 404),
    },
    {
      id: 'P-364',
      title: 'refuses an unknown scope',
      needs: ['admin'],
      run: (site) =>
        refused(
          site,
          { key: { description: 'x', scope_mode: 'granular', scopes: [{ scope_id: 'no:such' }] } },
          400,
        ),
    },
    {
      id: 'P-365',
      title: 'refuses a description of more than 255 characters',
      needs: ['admin'],
      async run(site) {
        await makeKey(site, { description: 'x'.repeat(255) })
        await refused(site, { key: { description: 'x'.repeat(256) } }, 422, 'record_invalid')
      },
    },
    {
      id: 'P-366',
      title: 'refuses granular without scopes',
      needs: ['admin'],
      async run(site) {
        // Otherwise a key that was meant to be narrow would have full power.
        for (const scopes of [undefined, []]) {
          await refused(site, { key: { description: 'x', scope_mode: 'granular', scopes } }, 422)
        }
      },
    },
    {
      id: 'P-367',
      title: 'makes a key that may only read',
      needs: ['admin', 'forum'],
      async run(site) {
        const api = await program(site, await makeKey(site, { scope_mode: 'read_only' }))
        status(await api.get('/session/current.json'), 200)
        status(await api.get('/notifications.json'), 200)
        refusal(await api.put('/notifications/mark-read.json'), 403, 'invalid_access')
        refusal(await api.post('/posts.json', { raw: 'x' }), 403, 'invalid_access')
      },
    },
  ]
}

function changeCases(): readonly Case[] {
  return [
    {
      id: 'P-368',
      title: 'changes a description',
      needs: ['admin'],
      async run(site) {
        const { id } = await makeKey(site)
        const ask = { method: 'PUT', json: { key: { description: 'another' } } }
        const { key } = ok(await site.admin().ask(`${path}/${id}.json`, ask)) as { key?: Json }
        equal(key?.description, 'another', 'description')
      },
    },
    {
      id: 'P-369',
      title: 'changes nothing else',
      needs: ['admin'],
      async run(site) {
        const made = await makeKey(site)
        const { username } = await site.secondUser()
        const json = { key: { description: 'another', key: 'f'.repeat(64), username } }
        const { key } = ok(await site.admin().ask(`${path}/${made.id}.json`, { method: 'PUT', json })) as {
          key?: Json
        }
        equal(key?.truncated_key, made.truncated_key, 'truncated_key')
        equal(key?.user ?? null, null, 'user')
        status(await (await program(site, made)).get('/session/current.json'), 200)
        status(await (await program(site, { key: 'f'.repeat(64) })).get('/session/current.json'), 403)
      },
    },
    {
      id: 'P-370',
      title: 'refuses a change without key',
      needs: ['admin'],
      async run(site) {
        const { id } = await makeKey(site)
        status(await site.admin().ask(`${path}/${id}.json`, { method: 'PUT', json: {} }), 400)
      },
    },
    {
      id: 'P-371',
      title: 'deletes a key',
      needs: ['admin'],
      async run(site) {
        const made = await makeKey(site)
        equal(ok(await site.admin().delete(`${path}/${made.id}.json`)), { success: 'OK' }, 'the answer')
        refusal(await (await program(site, made)).get('/session/current.json'), 403, 'invalid_access')
        status(await site.admin().get(`${path}/${made.id}.json`), 404)
      },
    },
    {
      id: 'P-372',
      title: 'revokes a key',
      needs: ['admin'],
      async run(site) {
        const made = await makeKey(site)
        const { api_key: key } = ok(await site.admin().post(`${path}/${made.id}/revoke.json`)) as {
          api_key?: Json
        }
        matches(key?.revoked_at, /^\d{4}-/, 'revoked_at')
        refusal(await (await program(site, made)).get('/session/current.json'), 403, 'invalid_access')
      },
    },
    {
      id: 'P-373',
      title: 'makes a revoked key active again',
      needs: ['admin'],
      async run(site) {
        const made = await makeKey(site)
        ok(await site.admin().post(`${path}/${made.id}/revoke.json`))
        const answer = await site.admin().post(`${path}/${made.id}/undo-revoke.json`)
        const { api_key: key } = ok(answer) as { api_key?: Json }
        equal(key?.revoked_at, null, 'revoked_at', answer)
        status(await (await program(site, made)).get('/session/current.json'), 200)
      },
    },
    {
      id: 'P-374',
      title: 'revokes no key of an unknown id',
      needs: ['admin'],
      async run(site) {
        for (const verb of ['revoke', 'undo-revoke'])
          status(await site.admin().post(`${unknown}/${verb}.json`), 404)
      },
    },
  ]
}
