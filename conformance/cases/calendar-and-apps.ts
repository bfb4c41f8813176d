import type { Case } from '../case.ts'
import { check, equal, fields, header, matches, object, ok, refusal, skip, status } from '../expect.ts'
import type { Site } from '../site.ts'

const revoke = '/user-api-key/revoke.json'

/** §8.7: calendar subscriptions. */
export function calendarCases(): readonly Case[] {
  const path = '/calendar-subscriptions.json'
  const subscribe = async (site: Site) => {
    const answer = await (await site.user()).browser.post(path)
    const body = object(status(answer, 200, 201))
    const { bookmarks = '' } = (body.urls ?? {}) as { bookmarks?: string }
    return { key: matches(body.key, /^[0-9a-f]{32}$/, 'key', answer), address: bookmarks }
  }
  /** The feed, asked for as a calendar program does. */
  const feed = (site: Site, address: string) => {
    check(address.startsWith(`${site.baseUrl}/`), `the address is not on this site: ${address}`)
    return site.program().get(address.slice(site.baseUrl.length), { accept: 'none' })
  }
  return [
    {
      id: 'P-265',
      title: 'tells whether there is a subscription, and the feeds',
      needs: ['calendar', 'user'],
      async run(site) {
        const body = ok(await (await site.user()).browser.get(path))
        fields(body, ['has_subscription', 'feeds'], 'the answer')
        check((body.feeds as unknown[]).includes('bookmarks'), 'bookmarks is not among the feeds')
      },
    },
    {
      id: 'P-266',
      title: 'gives an address with a key',
      needs: ['calendar', 'user'],
      async run(site) {
        const { username } = await site.user()
        const { key, address } = await subscribe(site)
        const expected = `${site.baseUrl}/u/${username.toLowerCase()}/bookmarks.ics?user_api_key=${key}`
        equal(address, expected, 'the address')
      },
    },
    {
      id: 'P-267',
      title: 'serves the feed to whoever holds the address',
      needs: ['calendar', 'user'],
      async run(site) {
        const { address } = await subscribe(site)
        header(status(await feed(site, address), 200), 'Content-Type', /^text\/calendar/)
      },
    },
    {
      id: 'P-268',
      title: 'refuses the feed’s key elsewhere',
      needs: ['calendar', 'user'],
      async run(site) {
        const { key } = await subscribe(site)
        const api = site.program({ 'User-Api-Key': key })
        refusal(await api.get('/session/current.json'), 403, 'invalid_access')
        refusal(await api.get('/notifications.json'), 403, 'invalid_access')
      },
    },
    {
      id: 'P-269',
      title: 'ends the earlier subscription with a new one',
      needs: ['calendar', 'user'],
      async run(site) {
        const earlier = await subscribe(site)
        const later = await subscribe(site)
        status(await feed(site, earlier.address), 403)
        status(await feed(site, later.address), 200)
      },
    },
    {
      id: 'P-270',
      title: 'ends a subscription',
      needs: ['calendar', 'user'],
      async run(site) {
        const { browser } = await site.user()
        const { address } = await subscribe(site)
        status(await browser.delete(path), 204)
        status(await feed(site, address), 403)
        equal(ok(await browser.get(path)).has_subscription, false, 'has_subscription')
      },
    },
    {
      id: 'P-271',
      title: 'refuses a visitor',
      needs: ['calendar'],
      async run(site) {
        refusal(await site.visitor().get(path), 403, 'not_logged_in')
        refusal(await site.visitor().post(path), 403, 'not_logged_in')
      },
    },
  ]
}

/** §8.8: the user's apps. */
export function appsCases(): readonly Case[] {
  return [
    {
      id: 'P-272',
      title: 'lists a user’s keys to that user',
      needs: ['user'],
      async run(site) {
        const person = await site.user()
        const key = await site.approve({ scopes: 'read,session_info' })
        const entry = (await site.apps(person)).find((app) => app.application_name === key.applicationName)
        if (entry === undefined) return check(false, 'the key is not listed')
        fields(entry, ['id', 'application_name', 'scopes', 'created_at', 'last_used_at'], 'the entry')
        equal(entry.scopes.length, 2, 'the number of scopes')
        ok(await key.api.post(revoke))
        const after = (await site.apps(person)).map((app) => app.application_name)
        check(!after.includes(key.applicationName), 'the revoked key is listed')
      },
    },
    {
      id: 'P-273',
      title: 'lists no key’s text',
      needs: ['user'],
      async run(site) {
        const { browser, username } = await site.user()
        const key = await site.approve()
        const { text } = await browser.get(`/u/${username}.json`)
        check(!text.includes(key.key), 'the key’s text is there')
      },
    },
    {
      id: 'P-274',
      title: 'lists a user’s keys to nobody else',
      needs: ['user', 'second user'],
      async run(site) {
        const { username } = await site.user()
        const key = await site.approve()
        for (const other of [site.visitor(), (await site.secondUser()).browser]) {
          const answer = await other.get(`/u/${username}.json`)
          if (answer.status === 404) continue
          check(!answer.text.includes(key.applicationName), 'the key is listed to somebody else', answer)
        }
        if ((await site.apps(await site.user())).length === 0) skip('the site lists no keys at all')
      },
    },
  ]
}
