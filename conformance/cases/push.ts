import { createHmac } from 'node:crypto'
import type { Case, CaseSection, Need } from '../case.ts'
import { randomText } from '../crypto.ts'
import { check, equal, fields, matches, ok, skip, status } from '../expect.ts'
import { type Push, PushReceiver } from '../push-receiver.ts'
import type { IssuedKey, Person, Site } from '../site.ts'

const secret = 'conformance-secret'

/** §9: pushing. */
export const pushCases: CaseSection = {
  section: 9,
  title: 'push',
  cases: [
    {
      id: 'P-275',
      title: 'seals push as true when the key has push',
      needs: ['push', 'admin'],
      run: (site) =>
        withListed(site, 'https://push.conformance.example/a', async (push_url) => {
          for (const scopes of ['push', 'notifications', 'read,push']) {
            equal((await site.approve({ push_url, scopes })).payload.push, true, `push with ${scopes}`)
          }
        }),
    },
    {
      id: 'P-276',
      title: 'seals push as false for an address that is not listed, and issues the key',
      needs: ['push', 'admin'],
      run: (site) =>
        withListed(site, 'https://push.conformance.example/a', async (push_url) => {
          for (const other of [`${push_url}b`, push_url.slice(0, -1), 'https://push.conformance.example/']) {
            const { payload } = await site.approve({ push_url: other, scopes: 'push,read' })
            // A part of the list's text is an entry to some servers, and to Hallpass it is not.
            if (site.features.has('hallpass') || other.endsWith('b'))
              equal(payload.push, false, `push for ${other}`)
          }
        }),
    },
    {
      id: 'P-277',
      title: 'seals push as false without a scope for it',
      needs: ['push', 'admin'],
      run: (site) =>
        withListed(site, 'https://push.conformance.example/a', async (push_url) => {
          equal((await site.approve({ push_url, scopes: 'read,write' })).payload.push, false, 'push')
        }),
    },
    {
      id: 'P-278',
      title: 'seals push as false without an address',
      needs: ['push', 'admin'],
      run: (site) =>
        withListed(site, 'https://push.conformance.example/a', async () => {
          equal((await site.approve({ scopes: 'push,notifications' })).payload.push, false, 'push')
        }),
    },
    ...deliveryCases(),
  ],
}

function withListed(site: Site, address: string, run: (address: string) => Promise<void>): Promise<void> {
  return site.settings.with({ allowed_user_api_push_urls: address }, () => run(address))
}

function deliveryCases(): readonly Case[] {
  return [
    delivery('P-279', 'pushes a notification as a POST of JSON', async ({ onePush }) => {
      const { push } = await onePush()
      equal(push.method, 'POST', 'the method')
      matches(push.headers['content-type'], /^application\/json/, 'the content type')
    }),
    delivery('P-280', 'pushes who sends, and a list of notifications', async ({ onePush }) => {
      const { push } = await onePush()
      fields(push.body, ['secret_key', 'url', 'title', 'description', 'notifications'], 'the body')
      equal(notificationsOf(push).length, 1, 'the number of notifications')
    }),
    delivery('P-281', 'pushes the secret, the site’s address and its title', async ({ site, onePush }) => {
      const { push } = await onePush()
      const { title } = ok(await site.visitor().get('/site/basic-info.json'))
      equal(push.body.secret_key, secret, 'secret_key')
      equal(push.body.url, site.baseUrl, 'url')
      equal(push.body.title, title, 'title')
    }),
    delivery('P-282', 'pushes what happened, and for which client', async ({ onePush, writer }) => {
      const { push, key } = await onePush()
      const [notification] = notificationsOf(push)
      fields(
        notification,
        [
          'notification_type',
          'post_number',
          'topic_title',
          'topic_id',
          'excerpt',
          'username',
          'url',
          'client_id',
        ],
        'the notification',
      )
      equal(notification?.client_id, key.clientId, 'client_id')
      equal(notification?.username, writer.username, 'username')
      equal(notification?.notification_type, 1, 'notification_type of a mention')
    }),
    delivery('P-283', 'pushes an absolute address', async ({ site, onePush }) => {
      const [notification] = notificationsOf((await onePush()).push)
      check(String(notification?.url).startsWith(`${site.baseUrl}/`), `url is ${notification?.url}`)
    }),
    delivery('P-284', 'pushes once to clients with one address', async ({ site, receiver, notify }) => {
      const path = `/both-${randomText()}`
      const keys = [await keyWithPush(site, receiver, path), await keyWithPush(site, receiver, path)]
      await notify()
      const [push, ...others] = await receiver.wait(path)
      equal(others.length, 0, 'the number of further pushes')
      const told = notificationsOf(push).map(({ client_id }) => client_id)
      equal(told, keys.map(({ clientId }) => clientId).sort(), 'the clients that were told')
    }),
    delivery('P-285', 'pushes to each address', async ({ site, receiver, notify }) => {
      const paths = [`/one-${randomText()}`, `/two-${randomText()}`]
      const keys = []
      for (const path of paths) keys.push(await keyWithPush(site, receiver, path))
      await notify()
      for (const [index, path] of paths.entries()) {
        const [push] = await receiver.wait(path)
        const told = notificationsOf(push).map(({ client_id }) => client_id)
        equal(told, [keys[index]?.clientId], 'the clients that were told')
      }
    }),
    delivery('P-286', 'pushes to no key that is revoked or expired', async ({ site, receiver, notify }) => {
      const paths = {
        revoked: `/revoked-${randomText()}`,
        expired: `/expired-${randomText()}`,
        good: `/good-${randomText()}`,
      }
      const revoked = await keyWithPush(site, receiver, paths.revoked)
      await keyWithPush(site, receiver, paths.expired, { expires_in_seconds: '1' })
      await keyWithPush(site, receiver, paths.good)
      ok(await revoked.api.post('/user-api-key/revoke.json'))
      await new Promise((resolve) => setTimeout(resolve, 2100))
      await notify()
      await receiver.wait(paths.good)
      equal(receiver.at(paths.revoked).length, 0, 'the number of pushes for the revoked key')
      equal(receiver.at(paths.expired).length, 0, 'the number of pushes for the expired key')
    }),
    delivery(
      'P-287',
      'pushes nothing while push is off the list of scopes',
      async ({ site, receiver, notify }) => {
        const path = `/off-${randomText()}`
        await keyWithPush(site, receiver, path)
        const silent = await site.settings.with({ allow_user_api_key_scopes: 'read|write' }, notify)
        const heard = await notify()
        // Pushes to one address come in order, so that the second one would have followed the first.
        const [push] = await receiver.wait(path)
        const topics = receiver
          .at(path)
          .flatMap(notificationsOf)
          .map(({ topic_id }) => topic_id)
        equal(topics.includes(silent), false, 'whether the first notification was pushed')
        equal(notificationsOf(push)[0]?.topic_id, heard, 'the topic of the first push')
      },
    ),
    delivery('P-288', 'follows no redirect', async ({ site, receiver, notify }) => {
      // Otherwise a listed address could send the site's requests into its own network.
      const [path, other] = [`/redirect/${randomText()}`, `/other-${randomText()}`]
      await keyWithPush(site, receiver, path)
      await keyWithPush(site, receiver, other)
      await notify()
      await receiver.wait(path)
      await receiver.wait(other)
      await notify()
      await receiver.wait(other, 2)
      equal(receiver.at('/redirected').length, 0, 'the number of pushes to where the redirect led')
    }),
  ]
}

interface Delivery {
  readonly site: Site
  readonly receiver: PushReceiver
  readonly writer: Person
  /** Has somebody mention the first user; answers with the topic's id. */
  readonly notify: () => Promise<unknown>
  /** A key with an address of its own, and the push of one notification. */
  readonly onePush: () => Promise<{ readonly push: Push; readonly key: IssuedKey }>
}

function delivery(id: Case['id'], title: string, run: (delivery: Delivery) => Promise<void>): Case {
  const needs: readonly Need[] = ['push', 'forum', 'admin', 'second user', 'push target']
  return { id, title, needs, run: (site) => withDelivery(site, run) }
}

/** An addition: Hallpass signs what it pushes. */
export const signatureCase: Case = delivery('A-26', 'signs what it pushes', async ({ onePush }) => {
  const { push } = await onePush()
  const value = String(push.headers['hallpass-signature'])
  const [, time = '', signature = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(value) ?? []
  const expected = createHmac('sha256', secret).update(`${time}.${push.text}`).digest('hex')
  equal(signature, expected, 'the signature')
})

/** Runs a case with a receiver that the site may push to. */
function withDelivery(site: Site, run: (delivery: Delivery) => Promise<void>): Promise<void> {
  const target = site.pushTarget() ?? skip('there is no address to push to')
  return PushReceiver.listen(target, async (receiver) => {
    const writer = await site.secondUser()
    const notify = () => mention(site, writer)
    const onePush = async () => {
      const path = `/push-${randomText()}`
      const key = await keyWithPush(site, receiver, path)
      await notify()
      const [push] = await receiver.wait(path)
      return { push, key }
    }
    const on = { push_api_secret_key: secret, allowed_user_api_push_urls: '' }
    await site.settings.with(on, () => run({ site, receiver, writer, notify, onePush }))
  })
}

async function keyWithPush(
  site: Site,
  receiver: PushReceiver,
  path: string,
  change: Readonly<Record<string, string>> = {},
): Promise<IssuedKey> {
  const push_url = receiver.address + path
  const listed = site.settings.value('allowed_user_api_push_urls') ?? ''
  const all = [...listed.split('|'), push_url].filter((one) => one !== '')
  await site.settings.set('allowed_user_api_push_urls', all.join('|'))
  const key = await site.approve({ scopes: 'push,notifications', push_url, ...change })
  equal(key.payload.push, true, 'push in the payload')
  return key
}

async function mention(site: Site, writer: Person): Promise<unknown> {
  const { username } = await site.user()
  const answer = await writer.browser.ask('/posts.json', {
    json: {
      title: `A conversation about conformance ${randomText()}`,
      raw: `Hello @${username}, this is a mention for the conformance suite, number ${randomText()}.`,
    },
  })
  const { topic_id: topic } = status(answer, 200).json as { topic_id?: unknown }
  return topic
}

function notificationsOf(push: Push): readonly Readonly<Record<string, unknown>>[] {
  const { notifications } = push.body
  return Array.isArray(notifications) ? notifications : []
}
