/** Pushing from end to end: keys approved through the handler, real receivers, a clock that tests move. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Timers } from '../../src/domain/ports.ts'
import type { PushNotification } from '../../src/domain/push.ts'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import type { Hallpass } from '../../src/server/hallpass.ts'
import { type Answer, type PushReceiver, startReceiver } from '../push-receiver.ts'
import { authorizationParameters, createTestSite, openSealed, siteUrl, type TestSite } from '../test-site.ts'

/** Timers that go off when a test lets time pass. */
class ManualTimers implements Timers {
  #waiting: { at: number; work: () => void }[] = []
  now = 0

  after(delayMs: number, work: () => void): () => void {
    const entry = { at: this.now + delayMs, work }
    this.#waiting.push(entry)
    return () => {
      this.#waiting = this.#waiting.filter((one) => one !== entry)
    }
  }

  pass(milliseconds: number): void {
    this.now += milliseconds
    const due = this.#waiting.filter(({ at }) => at <= this.now)
    this.#waiting = this.#waiting.filter(({ at }) => at > this.now)
    for (const { work } of due) work()
  }
}

let site: TestSite
let timers: ManualTimers
let warnings: string[]
let receivers: PushReceiver[]

beforeEach(async () => {
  timers = new ManualTimers()
  warnings = []
  receivers = []
  site = await createTestSite({
    timers,
    allowPrivatePush: true,
    baseUrl: siteUrl,
    onWarning: (message) => warnings.push(message),
  })
})
afterEach(async () => {
  await site.close()
  for (const receiver of receivers) await receiver[Symbol.asyncDispose]()
})

/** A receiver whose address is on the list. */
async function allowed(...answers: Answer[]): Promise<PushReceiver> {
  const receiver = await startReceiver(answers)
  receivers.push(receiver)
  await set('allowed_user_api_push_urls', receivers.map(({ url }) => `${url}/publish`).join('|'))
  return receiver
}

async function set(name: string, value: string): Promise<void> {
  const response = await site.asAdmin(`/admin/site_settings/${name}.json`, {
    method: 'PUT',
    form: { [name]: value },
  })
  assert.equal(response.status, 200)
}

function appKey(receiver: PushReceiver, change: Record<string, string> = {}): Promise<string> {
  const push_url = `${receiver.url}/publish`
  return site.approvedKey({ scopes: 'notifications', push_url, ...change })
}

function notification(change: Partial<PushNotification> = {}): PushNotification {
  return {
    notification_type: 1,
    post_number: 2,
    topic_title: 'A “title” & more',
    topic_id: 7,
    excerpt: 'hello 🎟',
    username: 'kim',
    url: `${siteUrl}/t/a-title/7/2`,
    ...change,
  }
}

const push = (change?: Partial<PushNotification>): Promise<number> =>
  site.hallpass.pushNotification(site.user.id, notification(change))

/** Lets time pass, on the clock and for the timers. */
function pass(seconds: number): void {
  site.advance(seconds)
  timers.pass(seconds * 1000)
}

/** Waits until `reached` answers true, with a bound. */
async function until(what: string, reached: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await reached())) {
    if (Date.now() > deadline) assert.fail(`${what} did not happen`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function outbox() {
  const entries = await site.store.pushDeliveries.list({ limit: 100 })
  return entries.toReversed()
}

/** Waits until the last try of every push was noted. */
function settled(tries: number): Promise<void> {
  return until(`try ${tries}`, async () => {
    const entries = await outbox()
    const begun = entries.reduce((sum, { attempts }) => sum + attempts, 0)
    return begun >= tries && entries.every(({ leasedUntil }) => leasedUntil === null)
  })
}

const excerpts = (receiver: PushReceiver): string[] =>
  receiver.received.map(({ body }) => JSON.parse(body).notifications[0].excerpt)

describe('pushNotification', () => {
  test('sends exactly the protocol’s JSON, one notification for each client, ordered by client id', async () => {
    await set('push_api_secret_key', 'a secret')
    await set('title', 'Corner “shop”')
    await set('site_description', 'We sell.')
    const receiver = await allowed()
    for (const client_id of ['b', 'a', 'Z']) await appKey(receiver, { client_id })
    assert.equal(await push(), 1)
    await receiver.arrived(1)
    const [received] = receiver.received
    assert.equal(received?.method, 'POST')
    assert.equal(received?.path, '/publish')
    assert.equal(received?.headers['content-type'], 'application/json')
    const one = (client: string): string =>
      `{"notification_type":1,"post_number":2,"topic_title":"A “title” & more","topic_id":7,"excerpt":"hello 🎟",` +
      `"username":"kim","url":"${siteUrl}/t/a-title/7/2","client_id":"${client}"}`
    assert.equal(
      received?.body,
      `{"secret_key":"a secret","url":"${siteUrl}","title":"Corner “shop”","description":"We sell.",` +
        `"notifications":[${one('Z')},${one('a')},${one('b')}]}`,
    )
  })

  test('the signature is the HMAC of the time and the body, under the secret', async () => {
    await set('push_api_secret_key', 'a secret')
    const receiver = await allowed()
    await appKey(receiver)
    await push()
    await receiver.arrived(1)
    const [{ headers, body } = assert.fail()] = receiver.received
    const [, time, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['hallpass-signature'])) ?? []
    assert.equal(Number(time), site.now() / 1000)
    assert.equal(hex, createHmac('sha256', 'a secret').update(`${time}.${body}`).digest('hex'))
  })

  test('without a secret there is no signature, which is said once', async () => {
    const receiver = await allowed()
    await appKey(receiver)
    await push()
    await receiver.arrived(1)
    await push()
    await receiver.arrived(2)
    const [{ headers, body } = assert.fail()] = receiver.received
    assert.equal(headers['hallpass-signature'], undefined)
    assert.equal(JSON.parse(body).secret_key, '')
    assert.equal(warnings.filter((line) => line.includes('push_api_secret_key')).length, 1)
  })

  test('the secret is not kept in the outbox, nor in the audit log, nor told to the list', async () => {
    await set('push_api_secret_key', 'open sesame')
    const receiver = await allowed(500)
    await appKey(receiver)
    await push()
    await settled(1)
    const kept = JSON.stringify([
      await outbox(),
      await site.store.audit.list({ limit: 200 }),
      await (await site.asAdmin('/hallpass/push.json')).json(),
    ])
    assert.doesNotMatch(kept, /open sesame/)
  })

  test('one request for each address', async () => {
    const [one, two] = [await allowed(), await allowed()]
    await appKey(one, { client_id: 'a' })
    await appKey(two, { client_id: 'b' })
    await appKey(two, { client_id: 'c', scopes: 'read,push' })
    assert.equal(await push(), 2)
    await Promise.all([one.arrived(1), two.arrived(1)])
    const clients = ({ received: [first] }: PushReceiver): string[] =>
      JSON.parse(first?.body ?? '').notifications.map((each: { client_id: string }) => each.client_id)
    assert.deepEqual([clients(one), clients(two)], [['a'], ['b', 'c']])
  })

  test('goes to nobody while the site does not offer the scope push', async () => {
    const receiver = await allowed()
    await appKey(receiver)
    await set('allow_user_api_key_scopes', 'read|notifications')
    assert.equal(await push(), 0)
    assert.deepEqual(await outbox(), [])
  })

  const without: [what: string, prepare: (receiver: PushReceiver) => Promise<unknown>][] = [
    ['no scope for it', (receiver) => appKey(receiver, { scopes: 'read,session_info' })],
    [
      'an address that is not on the list',
      (receiver) => appKey(receiver, { push_url: `${receiver.url}/other` }),
    ],
    // The list’s text holds it, and no item of the list is it.
    ['a part of an address on the list', (receiver) => appKey(receiver, { push_url: receiver.url })],
    ['no address', (receiver) => appKey(receiver, { push_url: '' })],
    [
      'an expiry that is over',
      async (receiver) => {
        await appKey(receiver, { expires_in_seconds: '60' })
        site.advance(60)
      },
    ],
    [
      'a revocation',
      async (receiver) => {
        const key = await appKey(receiver)
        await site.request('/user-api-key/revoke', { method: 'POST', headers: { 'user-api-key': key } })
      },
    ],
    [
      'a suspended owner',
      async (receiver) => {
        await appKey(receiver)
        const form = { suspend_until: '2030-01-01' }
        await site.asAdmin(`/admin/users/${site.user.id}/suspend.json`, { method: 'PUT', form })
      },
    ],
  ]
  for (const [what, prepare] of without) {
    test(`a key with ${what} is pushed nothing`, async () => {
      await prepare(await allowed())
      assert.equal(await push(), 0)
      assert.deepEqual(await outbox(), [])
    })
  }

  test('goes to the apps of the user it is for, and of no other', async () => {
    const receiver = await allowed()
    await appKey(receiver)
    assert.equal(await site.hallpass.pushNotification(site.admin.id, notification()), 0)
    assert.equal(await site.hallpass.pushNotification('no such user', notification()), 0)
  })

  test('an address that is no address, and a notification without end, are the caller’s mistake', async () => {
    await assert.rejects(push({ url: '/t/7' }), TypeError)
    await assert.rejects(push({ url: 'javascript:alert(1)' }), TypeError)
    await assert.rejects(push({ excerpt: 'x'.repeat(20_000) }), TypeError)
  })
})

describe('the field push of a payload', () => {
  const cases: [name: string, change: Record<string, string>, expected: boolean][] = [
    ['a listed address and the scope push', { scopes: 'push' }, true],
    ['a listed address and the scope notifications', { scopes: 'read,notifications' }, true],
    ['a listed address and neither scope', { scopes: 'read' }, false],
    ['a part of the list’s text', { push_url: 'http://push.test/' }, false],
    [
      'two listed addresses as the setting’s text has them',
      { push_url: 'http://push.test/a|http://push.test/b' },
      false,
    ],
    ['an unlisted address', { push_url: 'http://elsewhere.test/' }, false],
    ['a blank address', { push_url: '  ' }, false],
  ]
  for (const [name, change, expected] of cases) {
    test(`is ${expected} for ${name}, which is no error`, async () => {
      await set('allowed_user_api_push_urls', 'http://push.test/a|http://push.test/b')
      const visitor = await site.signedIn()
      const parameters = { scopes: 'notifications', push_url: 'http://push.test/a', ...change }
      const response = await visitor.post('/user-api-key.json', authorizationParameters(parameters))
      assert.equal(response.status, 200)
      assert.equal(openSealed((await response.json()).payload).push, expected)
      const [key] = await site.store.userApiKeys.listByUser(site.user.id)
      assert.deepEqual(
        key?.scopes.map((scope) => scope.name),
        parameters.scopes.split(','),
      )
    })
  }
})

describe('delivery', () => {
  test('a push that fails is tried again, later each time, under the same name', async () => {
    const receiver = await allowed(500, 404, (response) => response.destroy(), 204)
    await appKey(receiver)
    await push()
    const waits: number[] = []
    for (let tries = 1; tries <= 3; tries += 1) {
      await settled(tries)
      const [entry] = await outbox()
      waits.push(((entry?.nextAttemptAt ?? 0) - site.now()) / 1000)
      pass(waits.at(-1) ?? 0)
    }
    await settled(4)
    const [entry] = await outbox()
    assert.equal(entry?.state, 'delivered')
    assert.equal(entry?.body, '')
    assert.equal(receiver.received.length, 4)
    assert.equal(new Set(receiver.received.map(({ headers }) => headers['hallpass-delivery'])).size, 1)
    for (const [index, wait] of waits.entries()) {
      const doubled = 10 * 2 ** index
      assert.ok(wait >= doubled * 0.8 && wait <= doubled * 1.2, `${wait} s after try ${index + 1}`)
    }
    assert.match(warnings.join('\n'), /try 1: it answered 500\. next try in \d+ s/)
  })

  test('pushes to one address arrive in order, however the first fails', async () => {
    const receiver = await allowed(500, 503)
    await appKey(receiver)
    for (const excerpt of ['one', 'two', 'three']) await push({ excerpt })
    await settled(1)
    pass(12)
    await settled(2)
    assert.deepEqual(excerpts(receiver), ['one', 'one'])
    pass(24)
    await receiver.arrived(5)
    assert.deepEqual(excerpts(receiver), ['one', 'one', 'one', 'two', 'three'])
  })

  test('an address that fails or hangs holds up no other', async () => {
    const hanging: Answer = () => {}
    const [slow, down, fine] = [await allowed(hanging), await allowed(500), await allowed()]
    for (const [index, receiver] of [slow, down, fine].entries()) {
      await appKey(receiver, { client_id: String(index) })
    }
    await push({ excerpt: 'one' })
    await push({ excerpt: 'two' })
    await fine.arrived(2)
    assert.deepEqual(excerpts(fine), ['one', 'two'])
    assert.equal(slow.received.length <= 1 && down.received.length <= 1, true)
    await slow[Symbol.asyncDispose]()
  })

  test('no more addresses are pushed to at once than the setting says', async () => {
    await set('push_requests_at_once', '1')
    const answers: (() => void)[] = []
    const held: Answer = (response) => answers.push(() => response.end())
    const two = [await allowed(held), await allowed(held)]
    for (const [index, receiver] of two.entries()) await appKey(receiver, { client_id: String(index) })
    await push()
    for (const total of [1, 2]) {
      await until(`request ${total}`, () => answers.length === total)
      assert.equal(two[0]?.received.length, 1)
      assert.equal(two[1]?.received.length, total - 1)
      answers.at(-1)?.()
    }
    await until('the end', async () => (await outbox()).every(({ state }) => state === 'delivered'))
  })

  test('after its last try a push is dead, which is audited, and the next one goes out', async () => {
    await set('push_attempts', '2')
    const receiver = await allowed(500, 502)
    await appKey(receiver)
    await push({ excerpt: 'one' })
    await push({ excerpt: 'two' })
    await settled(1)
    pass(12)
    await receiver.arrived(3)
    await settled(3)
    const [first, second] = await outbox()
    assert.deepEqual([first?.state, first?.lastStatus, first?.lastError], ['dead', 502, 'it answered 502'])
    assert.equal(second?.state, 'delivered')
    const [last] = await site.store.audit.list({ limit: 1 })
    assert.equal(last?.action, 'push_delivery_dead')
    assert.match(last?.details ?? '', new RegExp(`"deliveryIds":\\[${first?.id}\\]`))
    assert.match(warnings.at(-1) ?? '', /given up/)
  })

  test('waits as long as the receiver asks, within the bound', async () => {
    const asking =
      (seconds: string): Answer =>
      (response) =>
        response.writeHead(429, { 'retry-after': seconds }).end()
    const date = new Date(site.now() + 120_000 + 400_000).toUTCString()
    const receiver = await allowed(asking('400'), asking(date), asking('999999999'), asking('soon'))
    await appKey(receiver)
    await push()
    for (const [tries, expected] of [400, 120, 3600].entries()) {
      await settled(tries + 1)
      const [entry] = await outbox()
      assert.equal(((entry?.nextAttemptAt ?? 0) - site.now()) / 1000, expected)
      pass(expected)
    }
    await settled(4)
    const [entry] = await outbox()
    assert.ok((entry?.nextAttemptAt ?? 0) - site.now() <= 96_000)
  })

  test('a redirect is a failure, and is not followed', async () => {
    const elsewhere = await startReceiver()
    receivers.push(elsewhere)
    const receiver = await allowed((response) =>
      response.writeHead(307, { location: `${elsewhere.url}/publish` }).end(),
    )
    await appKey(receiver)
    await push()
    await settled(1)
    const [entry] = await outbox()
    assert.equal(entry?.lastError, 'it answered 307: redirects are not followed')
    assert.equal(elsewhere.received.length, 0)
  })

  // What an attacker would gain: words meant for a user, after the user or the site took the app's access away.
  const withdrawals: [what: string, withdraw: (key: string) => Promise<unknown>][] = [
    [
      'the key was revoked',
      (key) => site.request('/user-api-key/revoke', { method: 'POST', headers: { 'user-api-key': key } }),
    ],
    ['the address went off the list', () => set('allowed_user_api_push_urls', '')],
  ]
  for (const [what, withdraw] of withdrawals) {
    test(`a push that waits is not sent once ${what}`, async () => {
      const receiver = await allowed(500)
      const key = await appKey(receiver)
      await push()
      await settled(1)
      await withdraw(key)
      pass(12)
      await settled(2)
      assert.equal(receiver.received.length, 1)
      const [entry] = await outbox()
      assert.equal(entry?.state, 'dead')
      assert.match(entry?.lastError ?? '', /withdrawn/)
    })
  }

  test('of those that wait too many, the oldest are given up together, and audited once', async () => {
    await set('max_pushes_waiting_per_address', '10')
    const receiver = await allowed(500)
    await appKey(receiver)
    await push({ excerpt: '1' })
    await settled(1)
    for (let count = 2; count <= 12; count += 1) await push({ excerpt: String(count) })
    const states = (await outbox()).map(({ state }) => state)
    // Those that are left may have been sent by now.
    assert.deepEqual(
      states.map((state) => state === 'dead'),
      Array.from({ length: 12 }, (_, index) => index < 2),
    )
    const [last] = await site.store.audit.list({ limit: 1 })
    assert.equal(last?.action, 'push_delivery_dead')
    assert.match((await outbox())[0]?.lastError ?? '', /more than 10 were waiting/)
    pass(12)
    await receiver.arrived(11)
    assert.equal(excerpts(receiver)[1], '3')
  })

  test('stopping lets a push end that is being sent, and keeps the rest for the next start', async () => {
    let answer = (): void => assert.fail('nothing came')
    const receiver = await allowed((response) => {
      answer = () => response.end()
    })
    await appKey(receiver)
    await push({ excerpt: 'one' })
    await push({ excerpt: 'two' })
    await receiver.arrived(1)
    const closed = site.hallpass.close()
    answer()
    await closed
    assert.deepEqual(
      (await outbox()).map(({ state }) => state),
      ['delivered', 'pending'],
    )
    const next = await hallpassOn(site)
    await receiver.arrived(2)
    await next.close()
    assert.deepEqual(excerpts(receiver), ['one', 'two'])
  })

  test('stopping breaks a push off that does not end, and it is sent again at the next start', async () => {
    const receiver = await allowed(() => {})
    await appKey(receiver)
    await push()
    await receiver.arrived(1)
    const closed = site.hallpass.close()
    // The grace begins once what is being queued is queued.
    await until('the end', async () => {
      timers.pass(5000)
      const [entry] = await outbox()
      return entry?.leasedUntil === null
    })
    await closed
    site.advance(60)
    const next = await hallpassOn(site)
    await receiver.arrived(2)
    await next.close()
    const [entry] = await outbox()
    assert.deepEqual([entry?.state, entry?.attempts], ['delivered', 2])
  })

  test('two processes on one database send each push once, and in order', async () => {
    const receiver = await allowed()
    await appKey(receiver)
    const other = await hallpassOn(site)
    for (let count = 0; count < 20; count += 1) {
      const { hallpass } = count % 2 ? site : { hallpass: other }
      await hallpass.pushNotification(site.user.id, notification({ excerpt: String(count) }))
    }
    await until('all', async () => {
      const waiting = (await outbox()).filter(({ state }) => state === 'pending')
      // Time passes only while nobody is sending, and in steps shorter than a lease, for one may have begun since: else
      // the lease lapses under a process that is well.
      if (waiting.every(({ leasedUntil }) => leasedUntil === null)) pass(1)
      return waiting.length === 0
    })
    await other.close()
    assert.deepEqual(
      excerpts(receiver),
      Array.from({ length: 20 }, (_, count) => String(count)),
    )
  })
})

/** Another Hallpass on the same store, clock and timers. */
function hallpassOn({ store, now }: TestSite): Promise<Hallpass> {
  return createHallpass({
    store,
    timers,
    clock: { now },
    allowPrivatePush: true,
    baseUrl: siteUrl,
    onWarning: (message) => warnings.push(message),
  })
}
