import type { Case, CaseSection } from '../case.ts'
import { randomText } from '../crypto.ts'
import { equal, header, ok, refusal, status } from '../expect.ts'
import { actsFor, credentialCases, feedCases, usernameIn } from './credentials.ts'
import { limitCases } from './request-limits.ts'
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
