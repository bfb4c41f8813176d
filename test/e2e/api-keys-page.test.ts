import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { startServer } from '../running-server.ts'

const page = new URL('../../docs/api-keys.md', import.meta.url)

describe('docs/api-keys.md', () => {
  test('its lines make a key, narrow another, and see it through to its deletion', async (t) => {
    const [server, folder] = await Promise.all([startServer(), mkdtemp(join(tmpdir(), 'hallpass-api-keys-'))])
    t.after(() => Promise.all([server.stop(), rm(folder, { recursive: true, force: true })]))
    const text = await readFile(page, 'utf8')
    const lines = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
      .map(([, block]) => `${block ?? ''}echo\n`)
      .join('')
    const script = `set -euo pipefail\n${lines}`
      .replace('http://localhost:4000', server.baseUrl)
      .replace('the administrator’s password', server.adminPassword)
    const { stdout } = await promisify(execFile)('bash', ['--noprofile', '--norc', '-c', script], {
      cwd: folder,
    })

    assert.match(stdout, new RegExp(`"current_user":\\{[^}]*"username":"${server.adminUsername}"`))
    assert.match(stdout, /"scope_id":"topics:write"/)
    assert.match(
      stdout,
      /"scopes":\[\{"resource":"topics","action":"write"[^\n]*"allowed_parameters":\{"topic_id":\["1"\]\}/,
    )
    assert.match(stdout, /"reason":"api_key_scope_insufficient"/)
    assert.match(stdout, /"offset":0,"limit":20/)
    assert.match(stdout, /"description":"reply bot, second floor"/)
    assert.match(stdout, /\{"api_key":\{[^\n]*"revoked_at":"2/)
    assert.match(stdout, /\{"api_key":\{[^\n]*"revoked_at":null/)
    assert.match(stdout, /"success":"OK"/)
    assert.doesNotMatch(stdout, /[0-9a-f]{64}/)
    assert.deepEqual(await readdir(folder), [])
  })
})
