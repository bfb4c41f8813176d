import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { runSuite } from '../../conformance/suite.ts'
import { leaksIn, type RecordingProxy, startRecordingProxy } from '../recording-proxy.ts'
import { type RunningServer, startServer } from '../running-server.ts'

// What an attacker would gain: logs are copied to many places and kept for long, and whoever reads them could act in the
// name of those who are in them.
describe('the log of hallpass serve, with every flow of the protocol driven at the level debug', () => {
  let server: RunningServer
  let proxy: RecordingProxy
  const ownSecret = 'a-secret-of-this-very-test-0123'

  before(async () => {
    const env = {
      HALLPASS_ALLOW_PRIVATE_PUSH: '1',
      HALLPASS_LOG_LEVEL: 'debug',
      HALLPASS_LOG_FORMAT: 'json',
      HALLPASS_METRICS: '1',
    }
    server = await startServer({ env })
    proxy = await startRecordingProxy(server.port)
    const baseUrl = `http://localhost:${proxy.port}`
    const { adminApiKey, adminUsername } = server
    const headers = { 'api-key': adminApiKey, 'api-username': adminUsername }
    const settings = {
      verbose_user_api_key_device_auth_logging: 'true',
      push_api_secret_key: ownSecret,
    }
    for (const [name, value] of Object.entries(settings)) {
      const answer = await fetch(`${baseUrl}/admin/site_settings/${name}.json`, {
        method: 'PUT',
        headers,
        body: new URLSearchParams({ [name]: value }),
      })
      assert.equal(answer.status, 200, name)
    }
    await runSuite({ baseUrl, adminApiKey, adminUsername, pushTarget: 'http://127.0.0.1:0' })
    await tryOddThings(baseUrl)
  })
  after(async () => {
    proxy.close()
    await server.stop()
  })

  /** What no case of the suite does: a browser’s sign-in that fails, keys where none are taken, a forged trace. */
  async function tryOddThings(baseUrl: string): Promise<void> {
    const key = `${'e'.repeat(31)}7`
    const traceparent = `00-${'0af7651916cd43dd8448eb211c80319c'}-b7ad6b7169203331-01`
    await fetch(`${baseUrl}/latest.json?user_api_key=${key}&api_key=${key}${key}`)
    await fetch(`${baseUrl}/${key}/orders`, { headers: { 'user-api-key': key, traceparent } })
    await fetch(`${baseUrl}/session.json`, {
      method: 'POST',
      headers: { cookie: '_t=3f9a2c-not-a-session; _forum_session=5b1d7e-nobodys' },
      body: new URLSearchParams({ login: 'admin', password: 'not-the-password-of-anybody' }),
    })
    const asked = await fetch(`${baseUrl}/oauth/device_authorization`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'tv', scope: 'read' }),
    })
    const { device_code: deviceCode = '' } = (await asked.json()) as { readonly device_code?: string }
    for (const code of [deviceCode, deviceCode, `${deviceCode.slice(1)}x`]) {
      const grant = 'urn:ietf:params:oauth:grant-type:device_code'
      const body = new URLSearchParams({ grant_type: grant, device_code: code, client_id: 'tv' })
      await fetch(`${baseUrl}/oauth/token`, { method: 'POST', body })
    }
    for (const path of ['/oauth/revoke', '/oauth/introspect']) {
      await fetch(baseUrl + path, { method: 'POST', body: new URLSearchParams({ token: key }) })
    }
    await fetch(`${baseUrl}/session/current.json`, {
      headers: { authorization: `Basic ${btoa(`a:${key}`)}` },
    })
  }

  test('tells of many requests, of refusals, and of the device flow’s steps', () => {
    const events = logLines(server.output()).map(({ event }) => event)
    assert.ok(events.filter((event) => event === 'request').length > 500)
    for (const event of ['refused', 'device_auth']) assert.ok(events.includes(event), event)
  })

  test('holds none of the secrets that went over the wire', () => {
    const { secrets } = proxy
    assert.ok(secrets.size > 200, `only ${secrets.size} secrets were seen`)
    const kinds = new Set(secrets.values())
    for (const kind of [
      'api-key',
      'user-api-key',
      'cookie',
      'payload',
      'device_code',
      'user_code',
      'otp',
      'authenticity_token',
      'password',
      'push_api_secret_key',
    ]) {
      assert.ok(kinds.has(kind), `no ${kind} was seen, so that this proves nothing about it`)
    }
    const known = [...secrets, [server.adminPassword, 'HALLPASS_ADMIN_PASSWORD'] as const]
    assert.deepEqual(leaksIn(server.output(), known), [])
  })

  test('is a JSON object a line, each with its time and its level', () => {
    for (const line of logLines(server.output())) {
      assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.match(line.level, /^(debug|info|warn|error)$/)
    }
  })
})

describe('leaksIn', () => {
  const secret = 'käy-0123456789'
  const planted = {
    'as it is': `x ${secret} y`,
    'in base64': `x ${Buffer.from(secret).toString('base64')} y`,
    'in hexadecimal': `x ${Buffer.from(secret).toString('hex').toUpperCase()} y`,
    'percent-encoded': `x ${encodeURIComponent(secret)} y`,
  }
  for (const [how, text] of Object.entries(planted)) {
    test(`finds a secret that is planted ${how}`, () => {
      assert.notDeepEqual(leaksIn(text, [[secret, 'planted']]), [])
    })
  }

  test('finds nothing where nothing is', () => assert.deepEqual(leaksIn('x y', [[secret, 'planted']]), []))
})

interface LogLine {
  readonly event: string
  readonly time: string
  readonly level: string
}

/** What stdout has said is no part of the log. */
function logLines(output: string): LogLine[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => JSON.parse(line) as LogLine)
}
