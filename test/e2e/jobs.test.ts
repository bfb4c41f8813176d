import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newTypist } from '../cli/command.ts'
import { startServer } from '../running-server.ts'
import { newTestData } from '../test-database.ts'
import { authorizationParameters, openSealed } from '../test-site.ts'

/** The bound that SECURITY.md states is a quarter of a second; the machine may be busy with other tests. */
const patienceMs = 5000

// What an attacker would gain: a key that the operator saw revoked, and that the running server goes on accepting.
describe('hallpass jobs run beside a running server', () => {
  test('a key that it revokes is refused by the server, which had it in memory', async (t) => {
    const server = await startServer()
    t.after(() => server.stop())
    const typist = await newTypist()
    t.after(() => typist.leave())
    const admin = { 'api-key': server.adminApiKey, 'api-username': 'admin' }
    const issued = await fetch(`${server.baseUrl}/user-api-key.json`, {
      method: 'POST',
      headers: { ...admin, 'content-type': 'application/json' },
      body: JSON.stringify(authorizationParameters({ scopes: 'read' })),
    })
    const { payload } = (await issued.json()) as { payload: string }
    const headers = { 'user-api-key': String(openSealed(payload).key) }
    const ask = () => fetch(`${server.baseUrl}/session/current.json`, { headers })
    assert.equal((await ask()).status, 200)

    // Another process makes the key old: nothing that the server was told of.
    const data = await newTestData(server.dataDir)
    await data.execute('update user_api_keys set created_at = 0')
    const path = `${server.baseUrl}/admin/site_settings/revoke_user_api_keys_maxlife_days.json`
    const body = new URLSearchParams({ revoke_user_api_keys_maxlife_days: '1' })
    assert.equal((await fetch(path, { method: 'PUT', headers: admin, body })).status, 200)

    const ran = await typist.run(['jobs', 'run', 'revoke-old-user-api-keys', ...data.flags])
    assert.equal(ran.stdout, 'revoke-old-user-api-keys: 1 key revoked\n', ran.stderr)
    const deadline = Date.now() + patienceMs
    let answer = await ask()
    while (answer.status === 200 && Date.now() < deadline) answer = await ask()
    assert.equal(((await answer.json()) as { reason: string }).reason, 'user_api_key_revoked')
  })
})
