import type { Case } from '../case.ts'
import { approveDevice, poll, requestDevice } from '../device.ts'
import { equal, ok, refusal, status } from '../expect.ts'
import type { IssuedKey, Site } from '../site.ts'

const scopes = 'session_info,bookmarks_calendar'

/** §19: scopes for some values of their parameters only. */
export const narrowingCases: readonly Case[] = [
  {
    id: 'A-36',
    title: 'gives a key for the values that were asked for, and no other',
    needs: ['admin', 'user', 'forum'],
    run: (site) =>
      narrowing(site, async ({ username }) => {
        const own = await site.approve({ scopes, scope_parameters: wanted(username) })
        equal(Object.keys(own.payload).sort(), ['api', 'key', 'nonce', 'push'], 'the payload’s fields')
        status(await calendar(own, username), 200)
        const other = await site.approve({ scopes, scope_parameters: wanted('somebody') })
        refusal(await calendar(other, username), 403, 'invalid_access')
        refusal(await calendar(other, username, '?username=somebody'), 403, 'invalid_access')
        equal(await site.accepts(other), true, 'whether its other scopes work')
      }),
  },
  {
    id: 'A-37',
    title: 'refuses what cannot be narrowed, and issues nothing',
    needs: ['admin', 'user'],
    run: (site) =>
      narrowing(site, async ({ username, browser }) => {
        const refused: readonly [text: string, reason: string][] = [
          ['username=sam', 'scope_parameters_malformed'],
          ['{"nonsense":{"id":["1"]}}', 'scope_parameters_scope_unknown'],
          ['{"read":{"id":["1"]}}', 'scope_parameters_scope_not_requested'],
          ['{"session_info":{"id":["1"]}}', 'scope_parameter_not_restrictable'],
          ['{"bookmarks_calendar":{"username":[]}}', 'scope_parameter_empty'],
          [wanted('x'.repeat(2001)), 'parameter_too_long'],
        ]
        const earlier = await site.approve({ scopes, scope_parameters: wanted(username) })
        for (const [scope_parameters, reason] of refused) {
          const asked = await site.request({ scopes, scope_parameters, client_id: earlier.clientId })
          const answer = await browser.post('/user-api-key.json', asked)
          equal(refusal(answer, 400, 'invalid_parameters').reason, reason, 'reason', answer)
        }
        equal(await site.accepts(earlier), true, 'whether the earlier key works')
      }),
  },
  {
    id: 'A-38',
    title: 'tells what a key is narrowed to, before and after',
    needs: ['admin', 'user', 'forum'],
    run: (site) =>
      narrowing(site, async ({ username }) => {
        const narrowed = [
          { name: 'bookmarks_calendar', allowed_parameters: { username: ['somebody', 'else'] } },
        ]
        const change = { scopes, scope_parameters: wanted('somebody', 'else') }
        const browser = (await site.user()).browser
        const ready = await browser.get(await site.asking(change))
        equal(ok(ready).narrowed_scopes, narrowed, 'narrowed_scopes', ready)
        const key = await site.approve(change)
        const answer = await calendar(key, username)
        equal(refusal(answer, 403, 'invalid_access').narrowed_scopes, narrowed, 'narrowed_scopes', answer)
        const known = await site.admin().post('/oauth/introspect', { token: key.key })
        const { scope, narrowed_scopes: told } = ok(known)
        equal([scope, told], ['session_info', narrowed], 'scope and narrowed_scopes', known)
        const plain = await browser.get(await site.asking({ scopes }))
        equal('narrowed_scopes' in ok(plain), false, 'whether a whole key is told as narrowed', plain)
      }),
  },
  {
    id: 'A-39',
    title: 'narrows keys in the device flow',
    needs: ['admin', 'user', 'device', 'forum'],
    run: (site) =>
      narrowing(site, async ({ username, browser }) => {
        const asked = await requestDevice(site, { scopes, scope_parameters: wanted('somebody') })
        const narrowed = [{ name: 'bookmarks_calendar', allowed_parameters: { username: ['somebody'] } }]
        equal(ok(asked.answer).narrowed_scopes, narrowed, 'narrowed_scopes', asked.answer)
        await approveDevice(browser, asked)
        const { payload } = await poll(site, asked.deviceCode)
        const key = await site.issued(String(payload), asked.fields)
        refusal(await calendar(key, username), 403, 'invalid_access')
        equal(await site.accepts(key), true, 'whether its other scopes work')
      }),
  },
]

/** While the site gives out the one scope of the protocol that can be narrowed. */
async function narrowing(
  site: Site,
  run: (user: Awaited<ReturnType<Site['user']>>) => Promise<void>,
): Promise<void> {
  const user = await site.user()
  const allow_user_api_key_scopes = 'read|session_info|bookmarks_calendar'
  await site.settings.with({ allow_user_api_key_scopes }, () => run(user))
}

function wanted(...usernames: readonly string[]): string {
  return JSON.stringify({ bookmarks_calendar: { username: usernames } })
}

function calendar({ api }: IssuedKey, username: string, search = ''): ReturnType<typeof api.get> {
  return api.get(`/u/${username}/bookmarks.ics${search}`)
}
