import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { freshPostgresUrl } from '../fresh-postgres.ts'
import { startCommand } from '../running-command.ts'
import { hallpassCommand, startServer } from '../running-server.ts'
import { temporaryFolder } from '../storage/temporary-folder.ts'
import { authorizationParameters, openSealed } from '../test-site.ts'
import { newTypist, type Typist } from './command.ts'

let typist: Typist
before(async () => {
  typist = await newTypist()
})
after(() => typist.leave())

describe('hallpass serve with DATABASE_URL', () => {
  test('keeps its data there, and names it without the password', async (t) => {
    const url = await freshPostgresUrl({ empty: true })
    const server = await startServer({ env: { DATABASE_URL: url } })
    t.after(() => server.stop())
    const { host, pathname, password } = new URL(url)
    assert.ok(server.output().includes(`data           postgres://postgres@${host}${pathname}\n`))
    assert.ok(!server.output().includes(password))
    const listed = await typist.run(['audit', 'list', '--database', url])
    assert.match(listed.stdout, /user_created/)
  })

  test('that cannot be reached says so, and how to mend it, and exits with 1', async (t) => {
    const env = {
      ...process.env,
      HALLPASS_PORT: '0',
      HALLPASS_DATA: temporaryFolder(t),
      DATABASE_URL: 'postgres://hallpass:s3cret@127.0.0.1:9/hallpass',
    }
    const { status, stderr } = await startCommand(process.execPath, [hallpassCommand, 'serve'], env).ended
    assert.equal(status, 1)
    assert.match(
      stderr,
      /^error: the database postgres:\/\/hallpass@127\.0\.0\.1:9\/hallpass cannot be reached/,
    )
    assert.match(stderr, /\nfix: start the server, or mend host and port/)
    assert.match(stderr, /\nreason: database_unreachable\n$/)
    assert.doesNotMatch(stderr, /s3cret/)
  })
})

describe('hallpass migrate', () => {
  test('--plan says what would be done and does nothing; without it, it is done', async () => {
    const url = await freshPostgresUrl({ empty: true })
    const planned = await typist.run(['migrate', '--plan', '--database', url])
    assert.equal(planned.status, 0, planned.stderr)
    assert.match(
      planned.stdout,
      /^hallpass: first-tables \(expand, 0\.1\.0\): would be done; no lock is held for long$/m,
    )
    assert.match(
      planned.stdout,
      /job-runs .*nobody can write to user_api_keys, user_api_key_clients while it runs/,
    )
    const done = await typist.run(['migrate', '--database', url])
    assert.match(done.stdout, /^hallpass: done: first-tables\n/)
    const again = await typist.run(['migrate', '--plan', '--database', url])
    assert.equal(again.stdout, 'hallpass: up to date\n')
  })
})

describe('hallpass store copy', () => {
  test('moves a server to PostgreSQL: its keys go on working', async (t) => {
    const folder = temporaryFolder(t)
    const first = await startServer({ env: { HALLPASS_DATA: folder, DATABASE_URL: '' } })
    const issued = await fetch(`${first.baseUrl}/user-api-key.json`, {
      method: 'POST',
      headers: {
        'api-key': first.adminApiKey,
        'api-username': 'admin',
        'content-type': 'application/json',
      },
      body: JSON.stringify(authorizationParameters({ scopes: 'read' })),
    })
    const { payload } = (await issued.json()) as { payload: string }
    await first.stop()

    const url = await freshPostgresUrl({ empty: true })
    const copied = await typist.run(['store', 'copy', '--from', folder, '--to', url])
    assert.equal(copied.status, 0, copied.stderr)
    assert.match(copied.stdout, /^user_api_keys: 1 rows, sha256 [0-9a-f]{16}$/m)
    assert.match(copied.stdout, /^copied \d+ rows of \d+ tables from \S+ to postgres:\/\/postgres@/m)
    assert.match(copied.stderr, /^users: 1 rows$/m)
    const second = await startServer({ env: { DATABASE_URL: url } })
    t.after(() => second.stop())
    const headers = { 'user-api-key': String(openSealed(payload).key) }
    const answer = await fetch(`${second.baseUrl}/session/current.json`, { headers })
    assert.equal(answer.status, 200)
    const verified = await typist.run(['audit', 'verify', '--database', url])
    assert.match(verified.stdout, /^the audit log is whole/)

    const refused = await typist.run(['store', 'copy', '--from', folder, '--to', url])
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /reason: copy_target_not_empty/)
  })

  test('refuses a source that is not there, and makes none', async (t) => {
    const { status, stderr } = await typist.run([
      'store',
      'copy',
      '--from',
      join(temporaryFolder(t), 'nowhere'),
      '--to',
      temporaryFolder(t),
    ])
    assert.equal(status, 1)
    assert.match(stderr, /reason: data_not_found/)
  })
})
