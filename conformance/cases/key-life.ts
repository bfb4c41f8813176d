import type { Case, CaseSection } from '../case.ts'
import { randomText } from '../crypto.ts'
import { check, equal, ok, refusal, status } from '../expect.ts'
import type { IssuedKey, Site } from '../site.ts'
import { appsCases, calendarCases } from './calendar-and-apps.ts'

const revoke = '/user-api-key/revoke.json'
const undo = '/user-api-key/undo-revoke.json'
/** No site has issued so many. */
const unknownId = '999999999'

/** §8: states, revocation, use, clients, calendar, the user's apps. */
export const keyLifeCases: CaseSection = {
  section: 8,
  title: 'life of a key',
  cases: [
    {
      id: 'P-239',
      title: 'accepts an active key',
      needs: ['user'],
      run: async (site) => expectAccepted(site, await site.approve(), true),
    },
    {
      id: 'P-240',
      title: 'refuses a revoked key from the next request on',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        await expectAccepted(site, key, true)
        ok(await key.api.post(revoke))
        refusal(await key.api.get('/session/current.json'), 403, 'invalid_access')
      },
    },
    {
      id: 'P-241',
      title: 'refuses an expired key',
      needs: ['user', 'oaep'],
      async run(site) {
        const key = await site.approve({ expires_in_seconds: '1' })
        await new Promise((resolve) => setTimeout(resolve, 2100))
        refusal(await key.api.get('/session/current.json'), 403, 'invalid_access')
      },
    },
    {
      id: 'P-242',
      title: 'tells no expiry of a key that has none',
      needs: ['user'],
      async run(site) {
        equal(
          Object.hasOwn((await site.approve()).payload, 'expires_at'),
          false,
          'whether expires_at is there',
        )
      },
    },
    ...revocationCases(),
    ...undoCases(),
    ...useCases(),
    ...calendarCases(),
    ...appsCases(),
  ],
}

async function expectAccepted(site: Site, key: IssuedKey, accepted: boolean): Promise<void> {
  equal(await site.accepts(key), accepted, 'whether the key works')
}

function revocationCases(): readonly Case[] {
  return [
    {
      id: 'P-243',
      title: 'revokes the key that asks',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        equal(ok(await key.api.post(revoke)), { success: 'OK' }, 'the answer')
        await expectAccepted(site, key, false)
      },
    },
    {
      id: 'P-244',
      title: 'lets a key of any scope revoke itself',
      needs: ['user'],
      async run(site) {
        for (const scopes of ['push', 'session_info', 'notifications', 'message_bus', 'read', 'write']) {
          const key = await site.approve({ scopes })
          equal(ok(await key.api.post(revoke)).success, 'OK', `success with ${scopes}`)
          refusal(await key.api.post(revoke), 403, 'invalid_access')
        }
      },
    },
    {
      id: 'P-245',
      title: 'lets a key revoke itself by its id',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        ok(await key.api.post(revoke, { id: await site.idOf(key, await site.user()) }))
        await expectAccepted(site, key, false)
      },
    },
    {
      id: 'P-246',
      title: 'lets no key without write revoke another',
      needs: ['user'],
      async run(site) {
        const [key, other] = [await site.approve(), await site.approve()]
        const id = await site.idOf(other, await site.user())
        refusal(await key.api.post(revoke, { id }), 403, 'invalid_access')
        await expectAccepted(site, other, true)
      },
    },
    {
      id: 'P-247',
      title: 'lets a write key revoke another of its user',
      needs: ['user'],
      async run(site) {
        const key = await site.approve({ scopes: 'write' })
        const other = await site.approve()
        ok(await key.api.post(revoke, { id: await site.idOf(other, await site.user()) }))
        await expectAccepted(site, other, false)
        await expectAccepted(site, key, true)
      },
    },
    {
      id: 'P-248',
      title: 'finds no key for a session that names none',
      needs: ['user'],
      run: async (site) => {
        refusal(await (await site.user()).browser.post(revoke), 404, 'not_found')
      },
    },
    {
      id: 'P-249',
      title: 'finds no key of an unknown id',
      needs: ['user'],
      run: async (site) => {
        refusal(await (await site.user()).browser.post(revoke, { id: unknownId }), 404, 'not_found')
      },
    },
    {
      id: 'P-250',
      title: 'lets the owner revoke by id',
      needs: ['user'],
      async run(site) {
        const owner = await site.user()
        const key = await site.approve()
        ok(await owner.browser.post(revoke, { id: await site.idOf(key, owner) }))
        await expectAccepted(site, key, false)
      },
    },
    {
      id: 'P-251',
      title: 'lets nobody else revoke',
      needs: ['user', 'second user'],
      async run(site) {
        const key = await site.approve()
        const id = await site.idOf(key, await site.user())
        refusal(await (await site.secondUser()).browser.post(revoke, { id }), 403, 'invalid_access')
        const theirs = await site.approve({ scopes: 'write' }, { by: (await site.secondUser()).browser })
        refusal(await theirs.api.post(revoke, { id }), 403, 'invalid_access')
        await expectAccepted(site, key, true)
      },
    },
    {
      id: 'P-252',
      title: 'lets an administrator revoke anybody’s',
      needs: ['admin'],
      async run(site) {
        const key = await site.approve()
        ok(await site.admin().post(revoke, { id: await site.idOf(key, await site.user()) }))
        await expectAccepted(site, key, false)
      },
    },
    {
      id: 'P-253',
      title: 'lets a revoked key revoke nothing',
      needs: ['user'],
      async run(site) {
        const key = await site.approve({ scopes: 'write' })
        const other = await site.approve()
        const id = await site.idOf(other, await site.user())
        ok(await key.api.post(revoke))
        refusal(await key.api.post(revoke, { id }), 403, 'invalid_access')
        await expectAccepted(site, other, true)
      },
    },
    {
      id: 'P-254',
      title: 'reads the key to revoke from its header alone',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        const { browser } = await site.user()
        status(await browser.post(`${revoke}?user_api_key=${key.key}`), 404)
        status(await browser.post(revoke, { user_api_key: key.key }), 404)
        status(await site.program().post(revoke, { user_api_key: key.key }), 403)
        await expectAccepted(site, key, true)
      },
    },
  ]
}

function undoCases(): readonly Case[] {
  const revoked = async (site: Site, change: Readonly<Record<string, string>> = {}) => {
    const key = await site.approve(change)
    const id = await site.idOf(key, await site.user())
    ok(await key.api.post(revoke))
    return { key, id }
  }
  return [
    {
      id: 'P-255',
      title: 'makes a revoked key active again',
      needs: ['user'],
      async run(site) {
        const { key, id } = await revoked(site)
        equal(ok(await (await site.user()).browser.post(undo, { id })), { success: 'OK' }, 'the answer')
        await expectAccepted(site, key, true)
      },
    },
    {
      id: 'P-256',
      title: 'finds no key without id, or of an unknown one',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        for (const id of [undefined, unknownId]) refusal(await browser.post(undo, { id }), 404, 'not_found')
      },
    },
    {
      id: 'P-257',
      title: 'lets nobody else undo',
      needs: ['user', 'second user'],
      async run(site) {
        const { key, id } = await revoked(site)
        refusal(await (await site.secondUser()).browser.post(undo, { id }), 403, 'invalid_access')
        await expectAccepted(site, key, false)
      },
    },
    {
      id: 'P-258',
      title: 'lets an administrator undo anybody’s',
      needs: ['admin'],
      async run(site) {
        const { key, id } = await revoked(site)
        ok(await site.admin().post(undo, { id }))
        await expectAccepted(site, key, true)
      },
    },
    {
      id: 'P-259',
      title: 'lets a revoked key not undo its own revocation',
      needs: ['user'],
      async run(site) {
        const { key, id } = await revoked(site, { scopes: 'write' })
        refusal(await key.api.post(undo, { id }), 403, 'invalid_access')
      },
    },
    {
      id: 'P-260',
      title: 'leaves an expiry as it is',
      needs: ['user', 'oaep'],
      async run(site) {
        const { key, id } = await revoked(site, { expires_in_seconds: '2' })
        ok(await (await site.user()).browser.post(undo, { id }))
        await new Promise((resolve) => setTimeout(resolve, 3100))
        await expectAccepted(site, key, false)
      },
    },
  ]
}

function useCases(): readonly Case[] {
  const clientHeader = 'User-Api-Client-Id'
  return [
    {
      id: 'P-261',
      title: 'keeps when a key was last used',
      needs: ['user'],
      async run(site) {
        const owner = await site.user()
        const key = await site.approve()
        const lastUse = async (): Promise<number> => {
          const entry = (await site.apps(owner)).find((app) => app.application_name === key.applicationName)
          return Date.parse(entry?.last_used_at ?? '')
        }
        const before = await lastUse()
        await new Promise((resolve) => setTimeout(resolve, 1100))
        await expectAccepted(site, key, true)
        for (let tries = 0; tries < 60; tries += 1) {
          if ((await lastUse()) > before) return
          await new Promise((resolve) => setTimeout(resolve, 250))
        }
        check(false, 'the time of last use did not change within 15 seconds')
      },
    },
    {
      id: 'P-262',
      title: 'moves a key to its client’s new id',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        const moved = `conformance-${randomText(6)}`
        ok(await key.api.get('/session/current.json', { headers: { [clientHeader]: moved } }))
        await site.approve({ client_id: moved })
        await expectAccepted(site, key, false)
      },
    },
    {
      id: 'P-263',
      title: 'takes an empty client id in the header as absent',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        ok(await key.api.get('/session/current.json', { headers: { [clientHeader]: '' } }))
        await site.approve({ client_id: key.clientId })
        await expectAccepted(site, key, false)
      },
    },
    {
      id: 'P-264',
      title: 'takes a moved key away from its old id',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        const moved = `conformance-${randomText(6)}`
        ok(await key.api.get('/session/current.json', { headers: { [clientHeader]: moved } }))
        await site.approve({ client_id: key.clientId })
        await expectAccepted(site, key, true)
        await site.approve({ client_id: moved })
        await expectAccepted(site, key, false)
      },
    },
  ]
}
