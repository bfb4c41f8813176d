import type { CaseSection } from '../case.ts'
import { approveWithRedirect, valueIn } from '../consent.ts'
import { keyPair, open, randomText } from '../crypto.ts'
import { equal, matches, ok, redirect, status } from '../expect.ts'
import { redirects } from '../site.ts'

/** §18: what programs in use do. */
export const clientCases: CaseSection = {
  section: 18,
  title: 'what clients do',
  cases: [
    {
      id: 'P-451',
      title: 'revokes by an empty form and the key’s header alone',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        const headers = { 'content-type': 'application/x-www-form-urlencoded' }
        ok(await key.api.ask('/user-api-key/revoke.json', { method: 'POST', raw: '', headers }))
        equal(await site.accepts(key), false, 'whether it works')
      },
    },
    {
      id: 'P-452',
      title: 'revokes by empty JSON and an empty client id',
      needs: ['user'],
      async run(site) {
        const key = await site.approve({ scopes: 'notifications,session_info' })
        const headers = { 'content-type': 'application/json', 'User-Api-Client-Id': '', 'Dont-Chunk': 'true' }
        ok(await key.api.ask('/user-api-key/revoke', { method: 'POST', raw: '', headers }))
        equal(await site.accepts(key), false, 'whether it works')
      },
    },
    {
      id: 'P-453',
      title: 'takes a key with no other header',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        ok(await key.api.get('/session/current.json', { accept: 'none' }))
      },
    },
    {
      id: 'P-454',
      title: 'lets users share a client id',
      needs: ['user', 'second user'],
      async run(site) {
        const client_id = `shared-${randomText()}`
        const mine = await site.approve({ client_id })
        const theirs = await site.approve({ client_id }, { by: (await site.secondUser()).browser })
        equal([await site.accepts(mine), await site.accepts(theirs)], [true, true], 'whether both work')
        const again = await site.approve({ client_id })
        const work = [await site.accepts(mine), await site.accepts(theirs), await site.accepts(again)]
        equal(work, [false, true, true], 'whether each works')
      },
    },
    {
      id: 'P-455',
      title: 'lets a program take a browser’s steps',
      needs: ['user'],
      async run(site) {
        const person = await site.user()
        const browser = site.visitor()
        const csrf = await browser.csrf()
        const credentials = {
          login: person.username,
          password: person.password,
          second_factor_method: '1',
          timezone: 'Europe/Berlin',
        }
        status(await browser.post('/session', credentials, { csrf }), 200)
        ok(await browser.get('/session/current.json'))
        const form = { username: person.username, password: person.password, redirect: '/about' }
        redirect(await browser.post('/login', form, { accept: 'html' }))
        const { redirect_url: address } = ok(
          await browser.post('/user-api-key', await site.request({ auth_redirect: redirects.app })),
        )
        matches(address, /\?payload=/, 'redirect_url')
      },
    },
    {
      id: 'P-456',
      title: 'seals payloads that survive being unescaped twice',
      needs: ['user'],
      async run(site) {
        // A plus sign that was unescaped becomes a space; such apps put it back, or their payload would never open.
        const { address } = await approveWithRedirect(site, { auth_redirect: redirects.app })
        const twice = decodeURIComponent(valueIn(address, 'payload'))
        matches(open(twice, await keyPair()), /^\{"key":/, 'the payload')
      },
    },
    {
      id: 'P-457',
      title: 'lets a GET say that its absent body is JSON',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        ok(await key.api.get('/session/current.json', { headers: { 'content-type': 'application/json' } }))
      },
    },
    {
      id: 'P-458',
      title: 'lets an app send headers of its own',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        const headers = { 'Dont-Chunk': 'true', 'User-Agent': 'Discourse iOS App / 1.0' }
        ok(await key.api.get('/session/current.json', { headers }))
      },
    },
  ],
}
