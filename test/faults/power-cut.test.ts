import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startCommand } from '../running-command.ts'
import { hallpassCommand, startServer } from '../running-server.ts'
import { authorizationParameters, openSealed } from '../test-site.ts'

// What an attacker would gain: a key that its owner saw revoked, and that works again after the server crashed.
describe('what the server has acknowledged', () => {
  let dataDir: string
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'hallpass-power-cut-'))
  })
  after(() => rm(dataDir, { recursive: true, force: true }))

  test('survives kill -9: a key that was issued works, and a key that was revoked does not', async () => {
    const first = await startServer({ dataDir })
    const admin = { 'api-key': first.adminApiKey, 'api-username': 'admin' }
    const issued = await fetch(`${first.baseUrl}/user-api-key.json`, {
      method: 'POST',
      headers: { ...admin, 'content-type': 'application/json' },
      body: JSON.stringify(authorizationParameters({ scopes: 'write' })),
    })
    const { payload } = (await issued.json()) as { payload: string }
    await first.kill9()
    const headers = { 'user-api-key': String(openSealed(payload).key) }

    const second = await startServer({ dataDir })
    assert.equal((await fetch(`${second.baseUrl}/session/current.json`, { headers })).status, 200)
    const revoked = await fetch(`${second.baseUrl}/user-api-key/revoke`, { method: 'POST', headers })
    assert.equal(revoked.status, 200)
    await second.kill9()

    const third = await startServer({ dataDir })
    const refused = await fetch(`${third.baseUrl}/session/current.json`, { headers })
    assert.equal(refused.status, 403)
    assert.equal(((await refused.json()) as { reason: string }).reason, 'user_api_key_revoked')
    const restored = await fetch(`${third.baseUrl}/user-api-key/undo-revoke.json`, {
      method: 'POST',
      headers: { ...admin, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 1 }),
    })
    assert.equal(restored.status, 200)
    assert.equal((await fetch(`${third.baseUrl}/session/current.json`, { headers })).status, 200)
    await third.stop()
  })
})

describe('hallpass serve', () => {
  test('tells the administrator’s password on the first start only, and stops cleanly', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'hallpass-first-start-'))
    const env = { HALLPASS_ADMIN_PASSWORD: '', HALLPASS_ADMIN_API_KEY: '', HALLPASS_ADMIN_USERNAME: '' }
    const first = await startServer({ dataDir, env })
    assert.match(first.output(), /administrator {2}admin\n {2}password {7}[\w-]{16} /)
    await first.stop()
    assert.match(first.output(), /stopping\n$/)
    const second = await startServer({ dataDir, env })
    assert.doesNotMatch(second.output(), /password/)
    await second.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  test('keeps the first password for a start that succeeds, when the port is taken', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'hallpass-port-taken-'))
    const other = await startServer()
    const environment = { ...process.env, HALLPASS_DATA: dataDir, HALLPASS_PORT: String(other.port) }
    const { status, stderr } = await startCommand(process.execPath, [hallpassCommand, 'serve'], environment)
      .ended
    assert.equal(status, 1)
    assert.match(stderr, /cannot listen on 127\.0\.0\.1 port \d+ \(EADDRINUSE\)\nfix: /)
    await other.stop()
    const next = await startServer({
      dataDir,
      env: { HALLPASS_ADMIN_PASSWORD: '', HALLPASS_ADMIN_API_KEY: '' },
    })
    assert.match(next.output(), /password {7}[\w-]{16} /)
    await next.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  test('ends with a clear error when its database cannot be opened', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'hallpass-no-database-'))
    await writeFile(
      join(dataDir, 'hallpass.sqlite'),
      'this is no database, and long enough to be read as one'.repeat(40),
    )
    const environment = { ...process.env, HALLPASS_DATA: dataDir, HALLPASS_PORT: '0' }
    const { status, stderr } = await startCommand(process.execPath, [hallpassCommand, 'serve'], environment)
      .ended
    assert.equal(status, 1)
    assert.match(stderr, /database/)
    assert.doesNotMatch(stderr, /\n +at /)
    await rm(dataDir, { recursive: true, force: true })
  })
})
