import type { Case, CaseSection } from '../case.ts'
import { randomText } from '../crypto.ts'
import type { Answer } from '../exchange.ts'
import { check, equal, header, matches, ok, refusal, status } from '../expect.ts'
import { untilRefused, withLimits } from '../limits.ts'
import type { Person, Site } from '../site.ts'
import { scopeCases } from './scopes.ts'

const current = '/session/current.json'

/** §10: who sent a request, and whether they may. */
export const authenticationCases: CaseSection = {
  section: 10,
  title: 'authentication of requests',
  cases: [
    ...credentialCases(),
    ...feedCases(),
    ...refusalCases(),
    ...precedenceCases(),
    ...ownerCases(),
    ...headerCases(),
    ...scopeCases,
    ...limitCases(),
  ],
}

function usernameIn(answer: Answer): unknown {
  return (ok(answer).current_user as { username?: string } | undefined)?.username
}

async function actsFor(site: Site, headers: Readonly<Record<string, string>>, person: Person): Promise<void> {
  equal(usernameIn(await site.program(headers).get(current)), person.username, 'whom it acts for')
}

function credentialCases(): readonly Case[] {
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

function feedCases(): readonly Case[] {
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

function refusalCases(): readonly Case[] {
  return [
    {
      id: 'P-301',
      title: 'refuses an unknown user API key, on public routes too',
      async run(site) {
        const api = site.program({ 'User-Api-Key': randomText(16) })
        refusal(await api.get(current), 403, 'invalid_access')
        if (site.features.has('forum')) refusal(await api.get('/about.json'), 403, 'invalid_access')
      },
    },
    {
      id: 'P-302',
      title: 'refuses a malformed user API key',
      async run(site) {
        for (const text of [
          'x',
          '0',
          'A'.repeat(32),
          'f'.repeat(31),
          'f'.repeat(5000),
          '{"key":"x"}',
          'Bearer x',
        ]) {
          refusal(await site.program({ 'User-Api-Key': text }).get(current), 403, 'invalid_access')
        }
      },
    },
    {
      id: 'P-303',
      title: 'refuses an unknown API key, on public routes too',
      async run(site) {
        const api = site.program({ 'Api-Key': randomText(32), 'Api-Username': 'system' })
        refusal(await api.get(current), 403, 'invalid_access')
        if (site.features.has('forum')) refusal(await api.get('/about.json'), 403, 'invalid_access')
      },
    },
    {
      id: 'P-304',
      title: 'refuses an API key for somebody who does not exist',
      needs: ['admin'],
      async run(site) {
        for (const identity of [
          { 'Api-Username': `nobody_${randomText(4)}` },
          { 'Api-User-Id': '999999999' },
        ]) {
          const api = site.program({ 'Api-Key': site.adminKey(), ...identity })
          refusal(await api.get(current), 403, 'invalid_access')
        }
      },
    },
  ]
}

function precedenceCases(): readonly Case[] {
  return [
    {
      id: 'P-305',
      title: 'lets a bound key act for its user alone',
      needs: ['admin'],
      async run(site) {
        const person = await site.user()
        const json = { key: { description: 'bound', username: person.username } }
        const { key } = ok(await site.admin().ask('/admin/api/keys.json', { json })) as {
          key: { key: string }
        }
        await actsFor(site, { 'Api-Key': key.key }, person)
        await actsFor(site, { 'Api-Key': key.key, 'Api-Username': person.username.toUpperCase() }, person)
        const other = site.program({ 'Api-Key': key.key, 'Api-Username': (await site.secondUser()).username })
        refusal(await other.get(current), 403, 'invalid_access')
      },
    },
    {
      id: 'P-306',
      title: 'lets a user API key win over a session',
      needs: ['user', 'second user'],
      async run(site) {
        const { key } = await site.approve()
        const other = await site.secondUser()
        const answer = await other.browser.get(current, { headers: { 'User-Api-Key': key } })
        equal(usernameIn(answer), (await site.user()).username, 'whom it acts for')
      },
    },
    {
      id: 'P-307',
      title: 'lets a user API key win over an API key',
      needs: ['admin'],
      async run(site) {
        const { key } = await site.approve()
        const answer = await site.admin().get(current, { headers: { 'User-Api-Key': key } })
        equal(usernameIn(answer), (await site.user()).username, 'whom it acts for')
      },
    },
    {
      id: 'P-308',
      title: 'refuses a bad key beside a good session',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        for (const name of ['User-Api-Key', 'Api-Key']) {
          refusal(await browser.get(current, { headers: { [name]: randomText(16) } }), 403, 'invalid_access')
        }
      },
    },
  ]
}

function ownerCases(): readonly Case[] {
  return [
    {
      id: 'P-309',
      title: 'refuses a suspended user’s keys until the suspension ends',
      needs: ['admin'],
      async run(site) {
        const person = await site.newUser()
        const key = await site.approve({}, { by: person.browser })
        await site.changeUser(person, 'suspend', { suspend_until: '2099-01-01', reason: 'conformance' })
        refusal(await key.api.get(current), 403, 'invalid_access')
        await site.changeUser(person, 'unsuspend')
        status(await key.api.get(current), 200)
      },
    },
    {
      id: 'P-310',
      title: 'refuses a deactivated user’s keys',
      needs: ['admin'],
      async run(site) {
        const person = await site.newUser()
        const key = await site.approve({}, { by: person.browser })
        await site.changeUser(person, 'deactivate')
        refusal(await key.api.get(current), 403, 'invalid_access')
      },
    },
    {
      id: 'P-311',
      title: 'refuses an API key for a suspended user',
      needs: ['admin'],
      async run(site) {
        const person = await site.newUser()
        await site.changeUser(person, 'suspend', { suspend_until: '2099-01-01', reason: 'conformance' })
        const api = site.program({ 'Api-Key': site.adminKey(), 'Api-Username': person.username })
        refusal(await api.get(current), 403, 'invalid_access')
      },
    },
  ]
}

function headerCases(): readonly Case[] {
  return [
    {
      id: 'P-312',
      title: 'tells in a header for whom a key acted',
      needs: ['user'],
      async run(site) {
        const { username } = await site.user()
        const { api } = await site.approve()
        header(await api.get(current), 'X-Discourse-Username', username)
        if (site.features.has('forum'))
          header(await api.get('/latest.json'), 'X-Discourse-Username', username)
      },
    },
    {
      id: 'P-313',
      title: 'tells in a header which route it was',
      needs: ['user'],
      async run(site) {
        const { api } = await site.approve()
        header(await api.get(current), 'X-Discourse-Route', /^\w+\/\w+$/)
      },
    },
    {
      id: 'P-314',
      title: 'signs no browser in by a key',
      needs: ['user'],
      async run(site) {
        const { key } = await site.approve()
        const browser = site.visitor()
        status(await browser.get(current, { headers: { 'User-Api-Key': key } }), 200)
        status(await browser.get(current), 404)
      },
    },
  ]
}

const minute = 'max_user_api_reqs_per_minute'
const day = 'max_user_api_reqs_per_day'

function limitCases(): readonly Case[] {
  const errorCode = 'Discourse-Rate-Limit-Error-Code'
  const refusedAfter = async (site: Site, settings: Readonly<Record<string, string>>) => {
    const { api } = await site.approve()
    return withLimits(site, settings, () => untilRefused(3, () => api.get(current, { limited: true })))
  }
  return [
    {
      id: 'P-315',
      title: 'limits a user API key by the minute',
      needs: ['admin'],
      async run(site) {
        const { answer, allowed } = await refusedAfter(site, { [minute]: '3', [day]: '100' })
        equal(allowed, 3, 'the requests that were let through', answer)
        refusal(answer, 429, 'rate_limit')
        header(answer, errorCode, 'user_api_key_limiter_60_secs')
      },
    },
    {
      id: 'P-316',
      title: 'limits a user API key by the day',
      needs: ['admin'],
      async run(site) {
        const { answer, allowed } = await refusedAfter(site, { [minute]: '100', [day]: '3' })
        equal(allowed, 3, 'the requests that were let through', answer)
        refusal(answer, 429, 'rate_limit')
        header(answer, errorCode, 'user_api_key_limiter_1_day')
      },
    },
    {
      id: 'P-317',
      title: 'limits each key by itself',
      needs: ['admin'],
      async run(site) {
        const [one, other] = [await site.approve(), await site.approve()]
        await withLimits(site, { [minute]: '2', [day]: '100' }, async () => {
          await untilRefused(2, () => one.api.get(current, { limited: true }))
          status(await other.api.get(current, { limited: true }), 200)
        })
      },
    },
    {
      id: 'P-318',
      title: 'counts what is refused for its scope',
      needs: ['admin'],
      async run(site) {
        const { api } = await site.approve({ scopes: 'push' })
        await withLimits(site, { [minute]: '2', [day]: '100' }, async () => {
          const { allowed } = await untilRefused(2, () => api.get('/notifications.json', { limited: true }))
          equal(allowed, 2, 'the requests that were refused for their scope')
        })
      },
    },
    {
      id: 'P-319',
      title: 'limits the API keys of the site together',
      needs: ['admin'],
      async run(site) {
        const { browser } = await site.newAdministrator()
        // The administrator's own key is used up by this, so a session puts things back.
        await site.settings.by(browser, () =>
          withLimits(site, { max_admin_api_reqs_per_minute: '3' }, async () => {
            const { answer } = await untilRefused(3, () => site.admin().get(current, { limited: true }))
            refusal(answer, 429, 'rate_limit')
            header(answer, errorCode, 'admin_api_key_rate_limit')
          }),
        )
      },
    },
    {
      id: 'P-320',
      title: 'tells when to come again',
      needs: ['admin'],
      async run(site) {
        const { answer } = await refusedAfter(site, { [minute]: '2', [day]: '100' })
        const seconds = Number(matches(answer.header('retry-after'), /^\d+$/, 'Retry-After', answer))
        check(seconds >= 1 && seconds <= 60, `Retry-After is ${seconds}`, answer)
      },
    },
  ]
}
