import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTestSite, siteUrl, type TestSite, userPassword } from '../test-site.ts'

const proxy = { remoteAddress: '::ffff:10.0.0.1' }

function from(address: string, path: string, init: RequestInit = {}): Request {
  const headers = { ...(init.headers as Record<string, string>), 'x-forwarded-for': address }
  return new Request(new URL(path, siteUrl), { ...init, headers })
}

async function allowTwo(site: TestSite): Promise<void> {
  const name = 'max_reqs_per_ip_per_10_seconds'
  await site.asAdmin(`/admin/site_settings/${name}.json`, { method: 'PUT', form: { [name]: '2' } })
}

describe('trustedProxies', () => {
  test('counts behind a trusted proxy each visitor by their own address, on every route', async () => {
    const site = await createTestSite({ trustedProxies: ['10.0.0.0/8'] })
    await allowTwo(site)
    const ask = async (address: string): Promise<number> =>
      (await site.hallpass.fetch(from(address, '/site/basic-info.json'), proxy)).status
    const askSite = async (address: string): Promise<string> =>
      (await site.hallpass.authenticate(from(address, '/orders'), { connection: proxy })).outcome
    assert.deepEqual([await ask('192.0.2.1'), await askSite('192.0.2.1')], [200, 'anonymous'])
    assert.deepEqual([await ask('192.0.2.1'), await askSite('192.0.2.1')], [429, 'refused'])
    assert.deepEqual([await ask('192.0.2.2'), await askSite('192.0.2.2')], [200, 'anonymous'])
    await site.close()
  })

  test('lets nobody else dodge a limit with a header of their own', async () => {
    const site = await createTestSite()
    await allowTwo(site)
    const statuses: number[] = []
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      statuses.push((await site.hallpass.fetch(from(address, '/site/basic-info.json'), proxy)).status)
    }
    assert.deepEqual(statuses, [200, 200, 429])
    await site.close()
  })

  test('puts the visitor’s address into the audit log', async () => {
    const site = await createTestSite({ trustedProxies: ['10.0.0.1'] })
    const got = await site.hallpass.fetch(from('192.0.2.7', '/session/csrf.json'), proxy)
    const { csrf } = (await got.json()) as { csrf: string }
    const cookie = got.headers.getSetCookie().join().split(';')[0] ?? ''
    const body = new URLSearchParams({ login: 'sam', password: userPassword })
    const headers = { cookie, 'x-csrf-token': csrf }
    const signIn = from('192.0.2.7', '/session.json', { method: 'POST', body, headers })
    assert.equal((await site.hallpass.fetch(signIn, proxy)).status, 200)
    const last = await site.store.audit.last()
    assert.deepEqual([last?.action, last?.actorAddress], ['signed_in', '192.0.2.7'])
    await site.close()
  })

  test('stops a start with a range that is none', async () => {
    await assert.rejects(createTestSite({ trustedProxies: ['10.0.0.0/'] }), TypeError)
  })
})
