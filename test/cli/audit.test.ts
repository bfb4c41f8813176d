import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { createTestSite } from '../test-site.ts'
import { newTypist, type Typist } from './command.ts'

let typist: Typist
let folder: string
let path: string

before(async () => {
  typist = await newTypist()
  folder = await mkdtemp(join(tmpdir(), 'hallpass-audit-'))
  path = join(folder, 'hallpass.sqlite')
  const site = await createTestSite({ store: await openSqliteStore({ path }) })
  await site.approvedKey()
  await site.close()
})
after(async () => {
  await typist.leave()
  await rm(folder, { recursive: true, force: true })
})

describe('hallpass audit', () => {
  test('list prints the newest entries, the newest last', async () => {
    const { status, stdout } = await typist.run(['audit', 'list', '--data', folder, '--limit', '2'])
    assert.equal(status, 0)
    const lines = stdout.trimEnd().split('\n')
    assert.equal(lines.length, 2)
    assert.match(
      lines[1] ?? '',
      /^6 {2}2026-01-15 12:00 UTC {2}user_api_key_issued {2}user 2 by session from 127\.0\.0\.1 {2}\{"keyId":1,/,
    )
  })

  test('list --action --json prints JSON lines of that action', async () => {
    const options = ['audit', 'list', '--data', folder, '--action', 'user_created', '--json']
    const { stdout } = await typist.run(options)
    const actions = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { action: string }).action)
    assert.deepEqual(actions, ['user_created', 'user_created'])
  })

  test('verify says that the log is whole, and its head can be held against it later', async () => {
    const { status, stdout, stderr } = await typist.run(['audit', 'verify', '--data', folder])
    assert.equal(status, 0)
    const head = /^the audit log is whole: 6 entries\nhead (6:[0-9a-f]{64})\n$/.exec(stdout)?.[1] ?? ''
    assert.equal(stderr, `to check later: hallpass audit verify --head ${head}\n`)
    const again = await typist.run(['audit', 'verify', '--data', folder, '--head', head])
    assert.deepEqual([again.status, again.stderr], [0, ''])
  })

  test('verify names the entry that was changed, and exits with 1', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'hallpass-audit-'))
    const connection = new DatabaseSync(path)
    connection.exec(`vacuum into '${join(copy, 'hallpass.sqlite')}'`)
    connection.close()
    const tampered = new DatabaseSync(join(copy, 'hallpass.sqlite'))
    for (const { name } of tampered.prepare("select name from sqlite_schema where type = 'trigger'").all()) {
      tampered.exec(`drop trigger "${name}"`)
    }
    tampered.exec(`update audit_events set actor_user_id = '9' where sequence = 3`)
    tampered.close()
    const { status, stderr } = await typist.run(['audit', 'verify', '--data', copy])
    assert.equal(status, 1)
    assert.match(stderr, /^error: the audit log is broken at entry 3: its content does not fit its hash/)
    assert.match(stderr, /reason: audit_broken\n$/)
    await rm(copy, { recursive: true, force: true })
  })

  test('makes no database where there is none', async () => {
    const { status, stderr } = await typist.run(['audit', 'verify', '--data', join(folder, 'nowhere')])
    assert.equal(status, 1)
    assert.match(stderr, /reason: data_not_found\n$/)
  })

  test('does not understand a head of another form', async () => {
    const { status } = await typist.run(['audit', 'verify', '--data', folder, '--head', 'latest'])
    assert.equal(status, 2)
  })
})
