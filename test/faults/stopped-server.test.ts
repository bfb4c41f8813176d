/** Two servers on one database, as processes: a key revoked at one, while the other runs, and while it stands still. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { freshPostgresUrl } from '../fresh-postgres.ts'
import { type RunningServer, startServer } from '../running-server.ts'

/** The bound that the servers are set to. */
const boundMs = 500

const databases = [
  ['SQLite', async () => ({})],
  ['PostgreSQL', async () => ({ DATABASE_URL: await freshPostgresUrl() })],
] as const

for (const [name, environment] of databases) {
  describe(`two server processes: ${name}`, () => {
    let dataDir: string
    let one: RunningServer
    let other: RunningServer

    before(async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'hallpass-two-'))
      const env = await environment()
      one = await startServer({ dataDir, env })
      other = await startServer({ dataDir, env })
      await asAdmin('PUT', '/admin/site_settings/revocation_bound_ms.json', {
        revocation_bound_ms: String(boundMs),
      })
    })
    after(async () => {
      await one?.stop()
      await other?.stop()
      await rm(dataDir, { recursive: true, force: true })
    })

    async function asAdmin(method: string, path: string, form: Record<string, string> = {}) {
      const response = await fetch(one.baseUrl + path, {
        method,
        headers: { 'api-key': one.adminApiKey, 'api-username': 'admin' },
        body: new URLSearchParams(form),
      })
      assert.equal(response.status, 200, `${method} ${path}`)
      // biome-ignore lint/suspicious/noExplicitAny: answers are read the way a client in any language reads them.
      return (await response.json()) as any
    }

    async function newKey(): Promise<{ readonly id: number; readonly text: string }> {
      const { key } = await asAdmin('POST', '/admin/api/keys.json', {
        'key[description]': 'to be revoked',
        'key[username]': 'admin',
      })
      return { id: key.id, text: key.key }
    }

    function ask({ baseUrl }: RunningServer, text: string): Promise<Response> {
      return fetch(`${baseUrl}/session/current.json`, { headers: { 'api-key': text } })
    }

    async function known(): Promise<{ readonly id: number; readonly text: string }> {
      const key = await newKey()
      assert.equal((await ask(other, key.text)).status, 200)
      assert.equal((await ask(other, key.text)).status, 200)
      return key
    }

    test('a key revoked at one is refused by the other within the bound', async (t: TestContext) => {
      const { id, text } = await known()
      await asAdmin('POST', `/admin/api/keys/${id}/revoke.json`)
      const since = performance.now()
      for (;;) {
        const response = await ask(other, text)
        const took = performance.now() - since
        if (response.status !== 200) {
          assert.equal(((await response.json()) as { reason: string }).reason, 'api_key_revoked')
          t.diagnostic(`${took.toFixed(1)} ms`)
          break
        }
        await response.body?.cancel()
        assert.ok(took < boundMs, `let in after ${took} ms`)
      }
    })

    // What an attacker would gain: one more request with a revoked key at each server that stood still meanwhile, such as
    // one on a machine that was paused.
    test('a server that stood still refuses, with its first answer, a key revoked meanwhile', async (t) => {
      const { id, text } = await known()
      process.kill(other.pid, 'SIGSTOP')
      t.after(() => process.kill(other.pid, 'SIGCONT'))
      // It lies in the socket's buffer, and is the first thing that the server finds.
      const first = ask(other, text)
      await asAdmin('POST', `/admin/api/keys/${id}/revoke.json`)
      await new Promise((resolve) => setTimeout(resolve, boundMs + 100))
      process.kill(other.pid, 'SIGCONT')
      const response = await first
      assert.equal(response.status, 403)
      assert.equal(((await response.json()) as { reason: string }).reason, 'api_key_revoked')
    })

    test('a server that stood still lets in a key that is still good', async (t) => {
      const { text } = await known()
      process.kill(other.pid, 'SIGSTOP')
      t.after(() => process.kill(other.pid, 'SIGCONT'))
      const first = ask(other, text)
      await new Promise((resolve) => setTimeout(resolve, boundMs + 100))
      process.kill(other.pid, 'SIGCONT')
      assert.equal((await first).status, 200)
    })
  })
}
