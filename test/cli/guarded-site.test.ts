import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { signInHeaders } from '../../src/cli/guarded-site.ts'
import { readServeOptions } from '../../src/cli/serve-options.ts'
import { startServer } from '../running-server.ts'

describe('signInHeaders', () => {
  test('are those by which the proxy in front names people, and none where people sign in otherwise', () => {
    const signIn = { method: 'proxy-header', userHeader: 'X-Remote-User', emailHeader: 'X-Mail' } as const
    assert.deepEqual(signInHeaders(readServeOptions({}, {}, { signIn })), ['X-Remote-User', 'X-Mail'])
    assert.deepEqual(signInHeaders(readServeOptions({}, {})), [])
  })
})

describe('hallpass serve', () => {
  for (const [method, shown] of [
    ['local', true],
    ['proxy-header', false],
  ] as const) {
    test(`${shown ? 'shows' : 'does not show'} a first password where people sign in by ${method}`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'hallpass-config-'))
      t.after(() => rm(folder, { recursive: true, force: true }))
      const config = join(folder, 'hallpass.config.json')
      const signIn = method === 'local' ? { method } : { method, userHeader: 'X-Remote-User' }
      await writeFile(config, JSON.stringify({ signIn, trustedProxies: ['10.0.0.1'] }))
      const server = await startServer({ flags: ['--config', config], env: { HALLPASS_ADMIN_PASSWORD: '' } })
      await server.stop()
      assert.equal(/password {2}.*shown this once/.test(server.output()), shown)
    })
  }
})
