import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hallpassJobs } from '../../src/domain/jobs.ts'
import { createTestSite, type TestSite } from '../test-site.ts'

let site: TestSite
before(async () => {
  site = await createTestSite()
})
after(() => site.close())

const runPath = '/hallpass/jobs/delete-expired/run.json'

describe('GET /hallpass/jobs', () => {
  test('lists every job to an administrator, as it stands', async () => {
    const response = await site.asAdmin('/hallpass/jobs.json')
    assert.equal(response.status, 200)
    const { jobs } = (await response.json()) as { jobs: { name: string }[] }
    assert.deepEqual(
      jobs.map(({ name }) => name),
      hallpassJobs.map(({ name }) => name),
    )
    assert.deepEqual(jobs[0], {
      name: 'revoke-unused-user-api-keys',
      description: 'Revokes user API keys that were not used for revoke_user_api_keys_unused_days.',
      every_seconds: 86_400,
      running: false,
      last_started_at: null,
      last_finished_at: null,
      outcome: null,
      summary: '',
      next_run_at: null,
    })
  })
})

describe('POST /hallpass/jobs/NAME/run', () => {
  test('runs the job for an administrator’s key, and answers with the outcome', async () => {
    const response = await site.asAdmin(runPath, { method: 'POST' })
    assert.equal(response.status, 200)
    const { job } = (await response.json()) as { job: Record<string, unknown> }
    assert.deepEqual(
      [job.name, job.outcome, job.running, job.last_started_at],
      ['delete-expired', 'succeeded', false, '2026-01-15T12:00:00.000Z'],
    )
    const entries = await site.store.audit.list({ limit: 1 })
    assert.deepEqual(
      [entries[0]?.action, entries[0]?.actorUserId, entries[0]?.actorVia, entries[0]?.details],
      ['job_run_asked_for', site.admin.id, 'api_key', '{"job":"delete-expired"}'],
    )
    const { jobs } = (await (await site.asAdmin('/hallpass/jobs.json')).json()) as {
      jobs: { name: string }[]
    }
    assert.deepEqual(
      jobs.find(({ name }) => name === 'delete-expired'),
      job,
    )
  })

  test('runs the job for an administrator’s browser with the CSRF token, and not without', async () => {
    const admin = await site.signedIn('admin')
    assert.equal((await admin.post(runPath, {})).status, 200)
    const without = await admin.request(runPath, { method: 'POST' })
    assert.equal(without.headers.get('hallpass-reason'), 'csrf_invalid')
  })

  test('refuses a job that does not exist', async () => {
    const response = await site.asAdmin('/hallpass/jobs/sweep/run.json', { method: 'POST' })
    assert.deepEqual([response.status, await reasonOf(response)], [404, 'not_found'])
  })

  test('refuses while the job runs already, and says since when', async () => {
    const until = site.now() + 5000
    await site.store.jobRuns.take('delete-expired', {
      owner: 'another',
      now: site.now(),
      until,
      onlyDue: false,
    })
    const response = await site.asAdmin(runPath, { method: 'POST' })
    assert.equal(response.status, 409)
    const body = (await response.json()) as { reason: string; message: string }
    assert.equal(body.reason, 'job_running')
    assert.match(body.message, /delete-expired is running already, since 2026-01-15T12:00:00.000Z/)
    const { jobs } = (await (await site.asAdmin('/hallpass/jobs.json')).json()) as {
      jobs: { name: string; running: boolean }[]
    }
    assert.equal(jobs.find(({ name }) => name === 'delete-expired')?.running, true)
    site.advance(5)
    assert.equal((await site.asAdmin(runPath, { method: 'POST' })).status, 200)
  })
})

// What an attacker would gain: knowing which keys are about to be revoked, and revoking them early.
describe('for those who are not administrators the jobs do not exist', () => {
  for (const [method, path] of [
    ['GET', '/hallpass/jobs.json'],
    ['POST', runPath],
  ] as const) {
    test(`${method} ${path} by nobody and by a user`, async () => {
      const nobody = await site.request(path, { method })
      assert.deepEqual([nobody.status, await reasonOf(nobody)], [404, 'not_found'])
      const sam = await site.signedIn()
      const token = await sam.csrf()
      const user = await sam.request(path, { method, headers: { 'x-csrf-token': token } })
      assert.deepEqual([user.status, await reasonOf(user)], [404, 'not_found'])
    })

    test(`${method} ${path} with a user API key of an administrator`, async () => {
      const key = await site.approvedKey({ scopes: 'read,write', client_id: `c-${method}` }, 'admin')
      const response = await site.request(path, { method, headers: { 'user-api-key': key } })
      assert.deepEqual(
        [response.status, await reasonOf(response)],
        [403, 'user_api_key_not_for_administration'],
      )
    })
  }
})

async function reasonOf(response: Response): Promise<string> {
  return ((await response.json()) as { reason: string }).reason
}
