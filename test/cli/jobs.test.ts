import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { newTestData, type TestData } from '../test-database.ts'
import { createTestSite } from '../test-site.ts'
import { newTypist, type Typist } from './command.ts'

let typist: Typist
let data: TestData
before(async () => {
  typist = await newTypist()
  data = await newTestData()
  const store = await data.open()
  const site = await createTestSite({ store })
  await site.approvedKey()
  const [key] = await store.userApiKeys.listByUser(site.user.id)
  assert.ok(key)
  // The command goes by the real time, so the key must be old by that.
  await store.settings.put({ name: 'revoke_user_api_keys_maxlife_days', value: '1', updatedAt: 0 })
  await site.close()
})
after(async () => {
  await typist.leave()
  await data.remove()
})

describe('hallpass jobs', () => {
  test('list prints a line for each job', async () => {
    const { status, stdout, stderr } = await typist.run(['jobs', 'list', ...data.flags])
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /^job +every +last run +next run +outcome\n/)
    assert.match(stdout, /^revoke-unused-user-api-keys +24h +never +when a server is up$/m)
    assert.match(stdout, /^delete-expired +10m +never +when a server is up$/m)
  })

  // A key would be revoked that the server lets live.
  test('run goes by what the config file pins, and finds the data where that says', async () => {
    const config = join(data.folder, 'hallpass.config.json')
    const place = data.env.DATABASE_URL ? { database: data.env.DATABASE_URL } : { data: '.' }
    const settings = { revoke_user_api_keys_maxlife_days: 0 }
    await writeFile(config, JSON.stringify({ ...place, settings }))
    const ran = await typist.run(['jobs', 'run', 'revoke-old-user-api-keys', '--config', config])
    assert.equal(ran.status, 0)
    assert.doesNotMatch(ran.stdout, /1 key revoked/)
  })

  test('run runs the job, and says what it did; list shows it from then on', async () => {
    const ran = await typist.run(['jobs', 'run', 'revoke-old-user-api-keys', ...data.flags])
    assert.deepEqual(ran, { status: 0, stdout: 'revoke-old-user-api-keys: 1 key revoked\n', stderr: '' })
    const { stdout } = await typist.run(['jobs', 'list', ...data.flags])
    assert.match(
      stdout,
      /^revoke-old-user-api-keys +24h +\d{4}-\d\d-\d\d \d\d:\d\d UTC +\d{4}-\d\d-\d\d \d\d:\d\d UTC +1 key revoked$/m,
    )
  })

  test('list --json prints what administrators get from the server', async () => {
    const { stdout } = await typist.run(['jobs', 'list', ...data.flags, '--json'])
    const jobs = JSON.parse(stdout) as { name: string; every_seconds: number; running: boolean }[]
    const { every_seconds: every, running } = jobs.find(({ name }) => name === 'delete-expired') ?? {}
    assert.deepEqual([every, running], [600, false])
  })

  test('run with a name that is no job’s lists the names, and is not understood', async () => {
    const { status, stdout, stderr } = await typist.run(['jobs', 'run', 'sweep', ...data.flags])
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(
      stderr,
      /^error: there is no job named sweep\. the jobs are:\n {2}revoke-unused-user-api-keys\n/,
    )
  })

  test('run fails while another process runs the job', async () => {
    const store = await data.open()
    const now = Date.now()
    await store.jobRuns.schedule('delete-expired', now)
    await store.jobRuns.take('delete-expired', {
      owner: 'another',
      now,
      until: now + 600_000,
      onlyDue: false,
    })
    await store.close()
    const { status, stdout, stderr } = await typist.run(['jobs', 'run', 'delete-expired', ...data.flags])
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(
      stderr,
      /^error: the job delete-expired is running already, since .*\nfix: .*\nreason: job_running\n$/,
    )
  })

  test('without a database says where it looked, and makes none', async () => {
    const { status, stderr } = await typist.run(['jobs', 'list', '--data', join(data.folder, 'nowhere')])
    assert.equal(status, 1)
    assert.match(stderr, /reason: data_not_found/)
  })
})
