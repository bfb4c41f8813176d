/**
 * What must not grow unnoticed: work that can be counted, the same on every machine and under any load. Times are
 * measured by `npm run bench` alone. A bound here is what the code does today and some room; a change that needs more
 * says why, and one that needs less lowers it.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { statementsOf } from './counted-statements.ts'
import { type SiteWithKey, siteAddress, siteWithKey } from './site-with-key.ts'

let site: SiteWithKey

before(async () => {
  site = await siteWithKey()
})
after(() => site.close())

const withKey = (path: string, more: Readonly<Record<string, string>> = {}): Request =>
  new Request(`${siteAddress}${path}`, { headers: { 'user-api-key': site.key, ...more } })

const proxied = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/topics' }
const connection = { remoteAddress: '127.0.0.1' }

describe('a key that was seen before', () => {
  test('is decided about without a word to the database', async () => {
    await site.hallpass.authenticate(withKey('/topics'))
    const statements = await statementsOf(async () => {
      for (let i = 0; i < 10; i += 1) {
        const { outcome } = await site.hallpass.authenticate(withKey('/topics'))
        assert.equal(outcome, 'authenticated')
      }
    })
    assert.deepEqual(statements, [])
  })

  test('is answered over HTTP without a word to the database', async () => {
    await site.hallpass.authenticate(withKey('/topics'))
    const statements = await statementsOf(async () => {
      const current = await site.hallpass.fetch(withKey('/session/current.json'), connection)
      assert.equal(current.status, 200)
      const forwardAuth = await site.hallpass.fetch(withKey('/hallpass/forward-auth', proxied), connection)
      assert.equal(forwardAuth.status, 200)
    })
    assert.deepEqual(statements, [])
  })

  test('costs a bounded number of bytes', () => {
    const bytes = numberFrom('allocations.ts', 'bytes')
    assert.ok(bytes <= mostBytes, `a call of authenticate() allocates ${bytes} bytes`)
  })
})

describe('a key that was not seen before', () => {
  test('costs one statement for the key and one for its owner', async () => {
    const hallpass = await site.another()
    const statements = await statementsOf(() => hallpass.authenticate(withKey('/topics')))
    assert.ok(statements.length >= 1 && statements.length <= 2, statements.join('\n'))
    await hallpass.close()
  })

  test('that nobody knows costs two statements at most', async () => {
    const headers = { 'user-api-key': 'f'.repeat(32) }
    const statements = await statementsOf(() => site.hallpass.authenticate(withKey('/topics', headers)))
    assert.ok(statements.length <= 2, statements.join('\n'))
  })
})

describe('issuing under load', () => {
  test('shares commits among those who wait', async () => {
    const statements = await statementsOf(async () => {
      const requests = Array.from({ length: approvals }, (_, i) => site.approval(`app-${i}`))
      const answers = await Promise.all(requests.map((request) => site.hallpass.fetch(request)))
      for (const { status } of answers) assert.equal(status, 200)
    })
    const commits = statements.filter((statement) => statement === 'commit').length
    assert.ok(commits >= 1 && commits <= mostCommits, `${approvals} approvals took ${commits} commits`)
    const each = statements.length / approvals
    assert.ok(each <= mostStatementsOfApproval, `an approval takes ${each} statements`)
  })
})

describe('hallpass serve --no-forum', () => {
  test('loads a bounded number of modules', () => {
    const modules = numberFrom('count-modules.ts', 'modules')
    assert.ok(modules <= mostModules, `it loads ${modules} modules`)
  })
})

/** The number that a program of child/ prints after `word`. */
function numberFrom(program: string, word: string): number {
  const file = fileURLToPath(new URL(`child/${program}`, import.meta.url))
  const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, '--no-warnings', file], {
    encoding: 'utf8',
  })
  const found = new RegExp(`^${word} (\\d+)$`, 'm').exec(stdout)?.[1]
  assert.ok(found !== undefined, stderr)
  return Number(found)
}

/** Measured: 6,700 to 6,900. */
const mostBytes = 7600

const approvals = 32

/** Measured: 2. The first does not wait, and a group is bounded in time, so a busy machine makes some more. */
const mostCommits = 16

/** Measured: 12, of which two are savepoints. */
const mostStatementsOfApproval = 13

/** Measured: 494, of which 269 are packages’. */
const mostModules = 510
