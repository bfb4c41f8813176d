import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import { newTestData } from '../test-database.ts'
import { openSealed } from '../test-site.ts'
import { complete, createDeviceSite, type DeviceSite, denied, gone, pending } from './device-site.ts'

let site: DeviceSite
beforeEach(async () => {
  site = await createDeviceSite()
})
afterEach(() => site.close())

function times<T>(count: number, act: (index: number) => Promise<T>): Promise<readonly T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => act(index)))
}

describe('many at once', () => {
  test('of fifty polls, with and without .json, one gets the payload', async () => {
    await site.setting('max_device_polls_per_minute', '100')
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    await site.act(sam, 'device/authorize', { approval_token: await site.enter(sam, codes.user_code) })
    const answers = await times(50, (index) =>
      site.poll(codes.device_code, `/user-api-key/device/poll${index % 2 === 0 ? '.json' : ''}`),
    )
    const [delivered, ...others] = answers.filter(({ status }) => status === 'authorized')
    assert.equal(others.length, 0)
    assert.equal(answers.filter(({ status }) => status === 'expired_token').length, 49)
    assert.match(String(openSealed(String(delivered?.payload)).key), /^[0-9a-f]{32}$/)
  })

  test('polls that come while the user approves leave exactly one payload to be had', async () => {
    await site.setting('max_device_polls_per_minute', '100')
    const codes = await site.requestKey()
    const sam = await site.signedIn()
    const form = { approval_token: await site.enter(sam, codes.user_code) }
    const [decided, ...polls] = await Promise.all([
      site.act(sam, 'device/authorize', form),
      ...Array.from({ length: 20 }, () => site.poll(codes.device_code)),
    ])
    assert.deepEqual(decided, complete)
    const last = await site.poll(codes.device_code)
    const delivered = [...polls, last].filter(({ status }) => status === 'authorized')
    assert.equal(delivered.length, 1)
  })

  test('of approving and denying, one holds, and the app hears of that one', async () => {
    for (let round = 0; round < 5; round += 1) {
      const codes = await site.requestKey({ client_id: `client-${round}` })
      const sam = await site.signedIn()
      const form = { approval_token: await site.enter(sam, codes.user_code) }
      const decisions = await times(6, (index) =>
        site.act(sam, index % 2 === round % 2 ? 'device/authorize' : 'device/deny', form),
      )
      const { status } = await site.poll(codes.device_code)
      const keys = await site.store.userApiKeys.listByUser(site.user.id)
      const hasKey = keys.some(({ client }) => client.clientId === `client-${round}`)
      assert.equal(hasKey, status === 'authorized')
      const told = decisions.map((one) => JSON.stringify(one))
      const approvals = told.filter((one) => one === JSON.stringify(complete)).length
      const denials = told.filter((one) => one === JSON.stringify(denied)).length
      assert.deepEqual([approvals, denials], status === 'authorized' ? [1, 0] : [0, 3])
      assert.equal(status === 'authorized' || status === 'access_denied', true)
      site.advance(61)
    }
  })

  test('of two users who type one code, one gets the request', async () => {
    const codes = await site.requestKey()
    const visitors = [await site.signedIn(), await site.signedIn('eve')]
    const answers = await Promise.all(
      visitors.map((one) => site.act(one, 'activate', { code: codes.user_code })),
    )
    assert.deepEqual(answers.map(({ state }) => state).sort(), ['authorize', 'enter_code'])
  })
})

describe('a restart', () => {
  test('between any two steps loses nothing, with the database kept', async () => {
    const data = await newTestData()
    const first = await createDeviceSite({ store: await data.open() })
    let open = first
    const restart = async (): Promise<void> => {
      await open.hallpass.close()
      await open.store.close()
      const store = await data.open()
      Object.assign(first.hallpass, await createHallpass({ store, clock: { now: () => first.now() } }))
      open = { ...first, store }
    }
    const codes = await first.requestKey()
    await restart()
    assert.deepEqual(await first.poll(codes.device_code), pending)
    const sam = await first.signedIn()
    const token = await first.enter(sam, codes.user_code)
    await restart()
    assert.deepEqual(await first.act(sam, 'device/authorize', { approval_token: token }), complete)
    await restart()
    assert.deepEqual(await first.act(sam, 'device/authorize', { approval_token: token }), gone)
    assert.equal((await first.poll(codes.device_code)).status, 'authorized')
    await open.hallpass.close()
    await open.store.close()
    await data.remove()
  })
})

describe('verbose_user_api_key_device_auth_logging', () => {
  test('writes every step to the log, and none of the codes, keys and nonces', async () => {
    const lines: string[] = []
    const logged = await createDeviceSite({ log: (event) => lines.push(JSON.stringify(event)) })
    await logged.requestKey()
    assert.deepEqual(lines, [])
    await logged.setting('verbose_user_api_key_device_auth_logging', 'true')
    const codes = await logged.requestKey({ nonce: 'a-nonce-to-hide' })
    const sam = await logged.signedIn()
    await sam.request(`/user-api-key/activate.json?request=${codes.request}`)
    await logged.act(sam, 'activate', { code: 'ABCD-2345' })
    const token = await logged.enter(sam, codes.user_code)
    await logged.poll(codes.device_code)
    await logged.act(sam, 'device/authorize', { approval_token: token })
    await logged.act(sam, 'device/deny', { approval_token: token })
    const { payload } = await logged.poll(codes.device_code)
    await logged.send({ scopes: 'nonsense' })
    const steps = lines
      .map((line) => JSON.parse(line))
      .map(({ step, outcome, reason }) => [step, reason ?? outcome])
    assert.deepEqual(steps, [
      ['request', 'requested'],
      ['preview', 'found'],
      ['enter_code', 'invalid'],
      ['enter_code', 'bound'],
      ['poll', 'authorization_pending'],
      ['authorize', 'complete'],
      ['deny', 'gone'],
      ['poll', 'authorized'],
      ['request', 'scope_unknown'],
    ])
    const text = lines.join('\n')
    const { key } = openSealed(String(payload))
    for (const secret of [
      codes.device_code,
      codes.user_code,
      codes.user_code.replace('-', ''),
      codes.request,
      token,
      'a-nonce-to-hide',
      'BEGIN PUBLIC KEY',
      String(payload),
      String(key),
    ]) {
      assert.ok(!text.includes(secret))
    }
    // What tells one request's lines from another's.
    const [made, , , bound] = lines.map((line) => JSON.parse(line))
    assert.equal(made.user_code, bound.user_code)
    await logged.close()
  })
})
