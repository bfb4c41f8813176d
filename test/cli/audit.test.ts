import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { dropAppendOnly, newTestData, type TestData } from '../test-database.ts'
import { createTestSite } from '../test-site.ts'
import { newTypist, type Typist } from './command.ts'

let typist: Typist
let data: TestData

before(async () => {
  typist = await newTypist()
  data = await newTestData()
  const site = await createTestSite({ store: await data.open() })
  await site.approvedKey()
  await site.close()
})
after(async () => {
  await typist.leave()
  await data.remove()
})

describe('hallpass audit', () => {
  test('list prints the newest entries, the newest last', async () => {
    const { status, stdout } = await typist.run(['audit', 'list', ...data.flags, '--limit', '2'])
    assert.equal(status, 0)
    const lines = stdout.trimEnd().split('\n')
    assert.equal(lines.length, 2)
    assert.match(
      lines[1] ?? '',
      /^6 {2}2026-01-15 12:00 UTC {2}user_api_key_issued {2}user 2 by session from 127\.0\.0\.1 {2}\{"keyId":1,/,
    )
  })

  test('list --action --json prints JSON lines of that action', async () => {
    const options = ['audit', 'list', ...data.flags, '--action', 'user_created', '--json']
    const { stdout } = await typist.run(options)
    const actions = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { action: string }).action)
    assert.deepEqual(actions, ['user_created', 'user_created'])
  })

  test('verify says that the log is whole, and its head can be held against it later', async () => {
    const { status, stdout, stderr } = await typist.run(['audit', 'verify', ...data.flags])
    assert.equal(status, 0)
    const head = /^the audit log is whole: 6 entries\nhead (6:[0-9a-f]{64})\n$/.exec(stdout)?.[1] ?? ''
    assert.equal(stderr, `to check later: hallpass audit verify --head ${head}\n`)
    const again = await typist.run(['audit', 'verify', ...data.flags, '--head', head])
    assert.deepEqual([again.status, again.stderr], [0, ''])
  })

  test('verify names the entry that was changed, and exits with 1', async () => {
    const copy = await newTestData()
    const site = await createTestSite({ store: await copy.open() })
    await site.close()
    await copy.execute(`${dropAppendOnly} update audit_events set actor_user_id = '9' where sequence = 3`)
    const { status, stderr } = await typist.run(['audit', 'verify', ...copy.flags])
    assert.equal(status, 1)
    assert.match(stderr, /^error: the audit log is broken at entry 3: its content does not fit its hash/)
    assert.match(stderr, /reason: audit_broken\n$/)
    await copy.remove()
  })

  test('makes no database where there is none', async () => {
    const { status, stderr } = await typist.run(['audit', 'verify', '--data', join(data.folder, 'nowhere')])
    assert.equal(status, 1)
    assert.match(stderr, /reason: data_not_found\n$/)
  })

  test('does not understand a head of another form', async () => {
    const { status } = await typist.run(['audit', 'verify', ...data.flags, '--head', 'latest'])
    assert.equal(status, 2)
  })
})
