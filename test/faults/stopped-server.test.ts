/** Two servers on one database, as processes: a key revoked at one, while the other runs, and while it stands still. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { after, before, describe, type TestContext, test } from 'node:test'
import { freshPostgresUrl } from '../fresh-postgres.ts'
import { type RunningServer, startServer } from '../running-server.ts'

/** The bound that the servers are set to. */
const boundMs = 500

interface Answer {
  readonly status: number
  readonly reason: string | undefined
}

/** One connection to each server. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
after(() => agent.destroy())

const databases = [
  ['SQLite', async () => ({ DATABASE_URL: '' })],
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
      const file = join(dataDir, 'hallpass.sqlite')
      assert.equal(existsSync(file), name === 'SQLite', 'the servers are on the database that is meant')
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

    /**
     * Asks, and reads all of the answer, so that the next question goes over the same connection: a server that goes on
     * finds it before it has looked at any timer.
     */
    async function ask({ port }: RunningServer, text: string): Promise<Answer> {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>()
      const path = '/session/current.json'
      get({ port, host: '127.0.0.1', path, agent, headers: { 'api-key': text } }, async (response) => {
        const { reason } = (await json(response)) as { reason?: string }
        resolve({ status: response.statusCode ?? 0, reason })
      }).on('error', reject)
      return promise
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
        const { status, reason } = await ask(other, text)
        const took = performance.now() - since
        if (status !== 200) {
          assert.equal(reason, 'api_key_revoked')
          t.diagnostic(`${took.toFixed(1)} ms`)
          break
        }
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
      assert.deepEqual(await first, { status: 403, reason: 'api_key_revoked' })
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
