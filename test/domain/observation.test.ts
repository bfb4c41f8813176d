import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  type AnsweredRequest,
  allObservers,
  noObserver,
  type Observer,
  type RefusedRequest,
} from '../../src/domain/observation.ts'
import { observedStore } from '../../src/domain/observed-store.ts'
import { createTestSite, siteUrl, type TestSite } from '../test-site.ts'

/** Writes down what it hears, one text for each call; durations, which nobody can know before, are left out. */
function recorder(isOn = true): { readonly observer: Observer; readonly heard: string[] } {
  const heard: string[] = []
  const hear =
    (name: string) =>
    (...told: unknown[]): void => {
      const [first] = told
      if (name === 'answered' || name === 'refused') {
        const { route, status, refusal, method } = first as Partial<AnsweredRequest & RefusedRequest>
        heard.push([name, method, route ?? refusal?.reason, status].join(' ').trim())
      } else if (name !== 'watch')
        heard.push([name, ...told.filter((part) => typeof part !== 'number')].join(' '))
    }
  const names = Object.keys(noObserver).filter((name) => name !== 'isOn')
  const methods = Object.fromEntries(names.map((name) => [name, hear(name)]))
  return { observer: { ...noObserver, ...methods, isOn }, heard }
}

const { observer, heard } = recorder()
let site: TestSite
before(async () => {
  site = await createTestSite({ observer })
})
after(() => site.close())

describe('Observer', () => {
  test('hears of a verification by kind of credential and outcome, and how the cache answered', async () => {
    const headers = { 'api-key': site.adminApiKey, 'api-username': 'admin' }
    await site.request('/session/current.json', { headers })
    heard.length = 0
    const answer = await site.request('/session/current.json', { headers })
    assert.equal(answer.status, 200)
    assert.deepEqual(
      heard.filter((line) => !line.startsWith('storeAsked')),
      ['cacheAsked hit', 'verified api_key authenticated', 'answered GET session/current 200'],
    )
  })

  test('hears of what is answered at once as of what takes the ordinary way', async () => {
    const headers = new Headers({ 'user-api-key': await site.approvedKey() })
    await site.request('/session/current.json', { headers: Object.fromEntries(headers) })
    heard.length = 0
    const question = { method: 'GET', target: '/session/current.json', headers } as const
    const answer = site.hallpass.answerNow({ ...question, connection: { remoteAddress: '192.0.2.1' } })
    assert.match(answer?.body ?? '', /"username":"sam"/)
    assert.deepEqual(heard, [
      'cacheAsked hit',
      'verified user_api_key authenticated',
      'answered GET session/current 200',
    ])
  })

  test('hears once how the cache answered, where what might be answered at once is not', async () => {
    const headers = new Headers({
      'user-api-key': await site.approvedKey(),
      'user-api-client-id': 'another',
    })
    await site.request('/session/current.json', {
      headers: { 'user-api-key': headers.get('user-api-key') ?? '' },
    })
    heard.length = 0
    const question = { method: 'GET', target: '/session/current.json', headers } as const
    const connection = { remoteAddress: '192.0.2.1' }
    assert.equal(site.hallpass.answerNow({ ...question, connection }), undefined)
    await site.request('/session/current.json', { headers: Object.fromEntries(headers) })
    assert.equal(heard.filter((line) => line.startsWith('cacheAsked hit')).length, 1)
  })

  test('hears of a refusal once, by its reason', async () => {
    heard.length = 0
    const request = new Request(`${siteUrl}/orders`, { headers: { 'user-api-key': 'f'.repeat(32) } })
    const decision = await site.hallpass.authenticate(request, { connection: { remoteAddress: '192.0.2.1' } })
    assert.equal(decision.outcome, 'refused')
    if (decision.outcome === 'refused') site.hallpass.refuse(request, decision.refusal)
    assert.deepEqual(
      heard.filter((line) => !line.startsWith('storeAsked')),
      ['cacheAsked miss', 'verified user_api_key user_api_key_invalid', 'refused GET user_api_key_invalid'],
    )
    assert.ok(heard.some((line) => /^storeAsked userApiKeys\.findByHash\w* done$/.test(line)))
  })

  test('hears of a transaction that fails', async () => {
    const failing = recorder()
    const store = observedStore(site.store, failing.observer)
    const fault = new Error('the disk is full')
    await assert.rejects(
      store.transaction(async () => {
        throw fault
      }),
      fault,
    )
    assert.deepEqual(failing.heard, ['storeAsked transaction failed'])
  })

  test('hears of a job', async () => {
    heard.length = 0
    const [job] = await site.hallpass.jobs.list()
    assert.ok(job)
    await site.hallpass.jobs.run(job.name)
    assert.ok(heard.includes(`jobEnded ${job.name} succeeded`), heard.join('\n'))
  })

  test('is told of nothing on the path of every request while it is off, but of refusals', async () => {
    const off = recorder(false)
    const other = await createTestSite({ observer: off.observer })
    const headers = { 'api-key': 'a'.repeat(64), 'api-username': 'admin' }
    await other.request('/session/current.json', { headers })
    await other.close()
    const ofRequest = off.heard.filter((line) => line !== 'committed')
    assert.deepEqual(ofRequest, ['refused GET api_key_invalid'])
  })
})

describe('allObservers', () => {
  test('tells each what it wants to hear', () => {
    const [on, off] = [recorder(true), recorder(false)]
    const both = allObservers([on.observer, off.observer])
    both.verified('none', 'anonymous', 1)
    both.limited('max_reqs_per_ip_per_minute')
    assert.equal(both.isOn, true)
    assert.deepEqual(on.heard, ['verified none anonymous', 'limited max_reqs_per_ip_per_minute'])
    assert.deepEqual(off.heard, ['limited max_reqs_per_ip_per_minute'])
  })
})
