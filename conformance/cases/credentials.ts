import type { Case } from '../case.ts'
import { randomText } from '../crypto.ts'
import type { Answer } from '../exchange.ts'
import { equal, header, ok, refusal, status } from '../expect.ts'
import type { Person, Site } from '../site.ts'

const current = '/session/current.json'

/** Who is signed in, by an answer of `/session/current`. */
export function usernameIn(answer: Answer): unknown {
  return (ok(answer).current_user as { username?: string } | undefined)?.username
}

/** Fails unless a program with these headers acts for that user. */
export async function actsFor(
  site: Site,
  headers: Readonly<Record<string, string>>,
  person: Person,
): Promise<void> {
  equal(usernameIn(await site.program(headers).get(current)), person.username, 'whom it acts for')
}

/** §10.1: the headers that count. */
export function credentialCases(): readonly Case[] {
  return [
    {
      id: 'P-289',
      title: 'knows a user by User-Api-Key',
      needs: ['user'],
      run: async (site) => actsFor(site, { 'User-Api-Key': (await site.approve()).key }, await site.user()),
    },
    {
      id: 'P-290',
      title: 'knows a user by Api-Key and Api-Username',
      needs: ['admin'],
      async run(site) {
        const person = await site.user()
        await actsFor(site, { 'Api-Key': site.adminKey(), 'Api-Username': person.username }, person)
      },
    },
    {
      id: 'P-291',
      title: 'knows a user by Api-Key and Api-User-Id',
      needs: ['admin'],
      async run(site) {
        const person = await site.secondUser()
        await actsFor(site, { 'Api-Key': site.adminKey(), 'Api-User-Id': person.id ?? '' }, person)
      },
    },
    {
      id: 'P-292',
      title: 'takes Api-Username in capitals',
      needs: ['admin'],
      async run(site) {
        const person = await site.user()
        const headers = { 'Api-Key': site.adminKey(), 'Api-Username': person.username.toUpperCase() }
        await actsFor(site, headers, person)
      },
    },
    {
      id: 'P-293',
      title: 'takes an empty User-Api-Key as absent',
      async run(site) {
        status(await site.program({ 'User-Api-Key': '' }).get('/site/basic-info.json'), 200)
        status(await site.program({ 'User-Api-Key': '' }).get(current), 404)
      },
    },
    {
      id: 'P-294',
      title: 'ignores an API key in an address',
      needs: ['admin'],
      async run(site) {
        // Addresses end up in logs, histories and Referer headers.
        const search = `api_key=${site.adminKey()}&api_username=${site.adminUsername()}`
        status(await site.program().get(`${current}?${search}`), 404)
      },
    },
    {
      id: 'P-295',
      title: 'ignores a user API key in an address',
      needs: ['user'],
      async run(site) {
        const { key } = await site.approve()
        status(await site.program().get(`${current}?user_api_key=${key}`), 404)
      },
    },
    {
      id: 'P-300',
      title: 'refuses an API key that acts for nobody',
      needs: ['admin'],
      async run(site) {
        const api = site.program({ 'Api-Key': site.adminKey() })
        refusal(await api.get(current), 403, 'invalid_access')
      },
    },
  ]
}

/** §10.1: the addresses of feeds, where keys in the query count. */
export function feedCases(): readonly Case[] {
  const feed = '/latest.rss'
  return [
    {
      id: 'P-296',
      title: 'takes a user API key in the address of a feed',
      needs: ['user', 'forum'],
      async run(site) {
        const { username } = await site.user()
        const { key } = await site.approve()
        const answer = status(
          await site.program().get(`${feed}?user_api_key=${key}`, { accept: 'none' }),
          200,
        )
        header(answer, 'X-Discourse-Username', username)
      },
    },
    {
      id: 'P-297',
      title: 'refuses a bad key in the address of a feed',
      needs: ['forum'],
      async run(site) {
        const answer = await site.program().get(`${feed}?user_api_key=${randomText(16)}`, { accept: 'none' })
        status(answer, 403)
      },
    },
    {
      id: 'P-298',
      title: 'takes an API key in the address of a feed',
      needs: ['admin', 'forum'],
      async run(site) {
        const { username } = await site.user()
        const search = `api_key=${site.adminKey()}&api_username=${username}`
        const answer = status(await site.program().get(`${feed}?${search}`, { accept: 'none' }), 200)
        header(answer, 'X-Discourse-Username', username)
      },
    },
    {
      id: 'P-299',
      title: 'refuses a key in the header with its user in the address',
      needs: ['admin', 'forum'],
      async run(site) {
        const { username } = await site.user()
        const api = site.program({ 'Api-Key': site.adminKey() })
        status(await api.get(`${feed}?api_username=${username}`, { accept: 'none' }), 403)
      },
    },
  ]
}
