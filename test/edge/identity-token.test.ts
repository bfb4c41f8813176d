import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import type { Identity } from '../../src/domain/identity.ts'
import { createTestSite, type TestSite } from '../test-site.ts'

const audience = 'http://app.test'
const daySeconds = 86_400

async function identityOf(site: TestSite): Promise<Identity> {
  const key = await site.approvedKey({ scopes: 'read' })
  const request = new Request('http://hallpass.test/orders', { headers: { 'user-api-key': key } })
  const answer = await site.hallpass.authenticate(request)
  return answer.outcome === 'authenticated' ? answer.identity : assert.fail('the key is not accepted')
}

async function publishedKeys(site: TestSite): Promise<JSONWebKeySet> {
  const answer = await site.request('/hallpass/jwks.json')
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('cache-control'), 'public, max-age=600')
  return (await answer.json()) as JSONWebKeySet
}

async function verify(site: TestSite, token: string, now = site.now()) {
  return jwtVerify(token, createLocalJWKSet(await publishedKeys(site)), {
    audience,
    issuer: 'hallpass',
    algorithms: ['ES256'],
    currentDate: new Date(now),
  })
}

describe('signIdentity', () => {
  test('says who, by which app and with what, and any verifier of ES256 can tell that it is true', async () => {
    const site = await createTestSite()
    const token = await site.hallpass.signIdentity(await identityOf(site), audience)
    const { payload } = await verify(site, token)
    const seconds = Math.floor(site.now() / 1000)
    assert.deepEqual(payload, {
      iss: 'hallpass',
      aud: audience,
      sub: site.user.id,
      iat: seconds,
      exp: seconds + 60,
      username: 'sam',
      via: 'user_api_key',
      scopes: ['read'],
      key_id: 1,
      client: 'client-1',
    })
    await site.close()
  })

  test('is valid for a minute', async () => {
    const site = await createTestSite()
    const token = await site.hallpass.signIdentity(await identityOf(site), audience)
    await verify(site, token, site.now() + 59_000)
    await assert.rejects(verify(site, token, site.now() + 61_000), { code: 'ERR_JWT_EXPIRED' })
    await site.close()
  })

  test('is by the base URL, where there is one', async () => {
    const site = await createTestSite({ baseUrl: 'https://site.test' })
    const token = await site.hallpass.signIdentity({ via: 'session', user: site.user }, audience)
    const { payload } = await jwtVerify(token, createLocalJWKSet(await publishedKeys(site)), {
      issuer: 'https://site.test',
      currentDate: new Date(site.now()),
    })
    assert.equal('scopes' in payload || 'key_id' in payload, false)
    await site.close()
  })

  test('publishes nothing of the private half', async () => {
    const site = await createTestSite()
    const { keys } = await publishedKeys(site)
    assert.deepEqual(
      keys.map((key) => Object.keys(key).sort()),
      [['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
    )
    await site.close()
  })

  test('signs with the key that the site owner gives, and keeps none', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const signingKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const site = await createTestSite({ signingKey })
    await verify(site, await site.hallpass.signIdentity({ via: 'session', user: site.user }, audience))
    assert.deepEqual(await site.store.signingKeys.list(), [])
    await site.close()
  })

  test('a signing key of another kind stops the start, and is not in the message', async () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    for (const signingKey of [
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'secret text',
    ]) {
      await assert.rejects(
        createTestSite({ signingKey }),
        (error) => error instanceof TypeError && !error.message.includes(signingKey),
      )
    }
  })
})

describe('signIdentity, asked again', () => {
  test('gives the same token for a quarter of its minute, and then another', async () => {
    const site = await createTestSite()
    const identity = await identityOf(site)
    const first = await site.hallpass.signIdentity(identity, audience)
    site.advance(14)
    assert.equal(await site.hallpass.signIdentity({ ...identity }, audience), first)
    site.advance(1)
    const next = await site.hallpass.signIdentity(identity, audience)
    assert.notEqual(next, first)
    await verify(site, next)
    await site.close()
  })

  test('never gives a token that says anything else than what is so', async () => {
    const site = await createTestSite()
    const identity = await identityOf(site)
    const other = { ...identity, user: { ...identity.user, username: 'renamed' } }
    const tokens = [
      await site.hallpass.signIdentity(identity, audience),
      await site.hallpass.signIdentity(identity, 'another'),
      await site.hallpass.signIdentity(other, audience),
      await site.hallpass.signIdentity({ via: 'session', user: identity.user }, audience),
    ]
    assert.equal(new Set(tokens).size, tokens.length)
    await site.close()
  })
})

describe('rotate-signing-keys', () => {
  test('a new key is published for an hour before it signs, and the old one for a day after', async () => {
    const site = await createTestSite()
    const identity = await identityOf(site)
    const sign = () => site.hallpass.signIdentity(identity, audience)
    const rotate = async (): Promise<string> => {
      const answer = await site.hallpass.jobs.run('rotate-signing-keys')
      return answer.outcome === 'ran' ? answer.job.summary : assert.fail(answer.outcome)
    }
    const before = await sign()
    const first = decodeProtectedHeader(before).kid
    site.advance(30 * daySeconds)
    assert.equal(await rotate(), '0 keys made, 0 deleted')
    site.advance(1)
    assert.equal(await rotate(), '1 key made, 0 deleted')

    site.advance(3599)
    assert.equal((await publishedKeys(site)).keys.length, 2)
    assert.equal(decodeProtectedHeader(await sign()).kid, first)
    site.advance(61)
    const after = await sign()
    assert.notEqual(decodeProtectedHeader(after).kid, first)
    await verify(site, after)

    site.advance(daySeconds - 120)
    assert.equal(await rotate(), '0 keys made, 0 deleted')
    site.advance(120)
    assert.equal(await rotate(), '0 keys made, 1 deleted')
    assert.equal((await publishedKeys(site)).keys.length, 1)
    const made = await site.asAdmin('/hallpass/audit.json')
    const text = await made.text()
    assert.equal(text.split('signing_key_made').length, 3)
    assert.equal(text.split('signing_key_deleted').length, 2)
    await site.close()
  })
})
