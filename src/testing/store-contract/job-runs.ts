import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { JobRunRecord, Store } from '../../domain/store.ts'
import { now } from './samples.ts'
import { type OpenStore, storeTest } from './store-test.ts'

const lease = { owner: 'one', now, until: now + 60, onlyDue: false }
const fresh: JobRunRecord = {
  name: 'tidy',
  lastStartedAt: null,
  lastFinishedAt: null,
  outcome: null,
  summary: '',
  failures: 0,
  nextRunAt: now,
  leaseOwner: null,
  leaseUntil: null,
}

export function jobRunsContract(openStore: OpenStore): void {
  describe('job runs', () => {
    const test = storeTest(openStore)

    test('a job is known once it is scheduled, and scheduling it again changes nothing', async (store) => {
      assert.deepEqual(await store.jobRuns.all(), [])
      assert.equal(await store.jobRuns.find('tidy'), undefined)
      await store.jobRuns.schedule('tidy', now)
      await store.jobRuns.schedule('tidy', now + 5)
      await store.jobRuns.schedule('sweep', now + 7)
      assert.deepEqual(await store.jobRuns.find('tidy'), fresh)
      assert.deepEqual(await store.jobRuns.all(), [{ ...fresh, name: 'sweep', nextRunAt: now + 7 }, fresh])
    })

    test('of several that take a job at once, one gets it', async (store) => {
      await store.jobRuns.schedule('tidy', now)
      const owners = ['one', 'two', 'three', 'four']
      const taken = await Promise.all(owners.map((owner) => store.jobRuns.take('tidy', { ...lease, owner })))
      assert.equal(taken.filter((isTaken) => isTaken).length, 1)
      const owner = owners[taken.indexOf(true)] ?? ''
      assert.deepEqual(await store.jobRuns.find('tidy'), {
        ...fresh,
        lastStartedAt: now,
        leaseOwner: owner,
        leaseUntil: now + 60,
      })
    })

    test('a job that is not scheduled cannot be taken', async (store) => {
      assert.equal(await store.jobRuns.take('tidy', lease), false)
    })

    test('a job that must be due is taken at its time and not before', async (store) => {
      await store.jobRuns.schedule('tidy', now + 1)
      assert.equal(await store.jobRuns.take('tidy', { ...lease, onlyDue: true }), false)
      assert.equal(await store.jobRuns.take('tidy', { ...lease, now: now + 1, onlyDue: true }), true)
    })

    test('a lease can be taken by another at its end and not before, and is not the first one’s then', async (store) => {
      await store.jobRuns.schedule('tidy', now)
      await store.jobRuns.take('tidy', lease)
      const other = { ...lease, owner: 'two', until: now + 200 }
      assert.equal(await store.jobRuns.take('tidy', { ...other, now: now + 59 }), false)
      assert.equal(await store.jobRuns.take('tidy', { ...other, now: now + 60 }), true)
      assert.equal(await store.jobRuns.renew('tidy', 'one', now + 900), false)
      assert.equal(await finish(store, 'one'), false)
      const record = await store.jobRuns.find('tidy')
      assert.deepEqual([record?.leaseOwner, record?.leaseUntil, record?.outcome], ['two', now + 200, null])
    })

    test('a lease that was renewed holds for longer', async (store) => {
      await store.jobRuns.schedule('tidy', now)
      await store.jobRuns.take('tidy', lease)
      assert.equal(await store.jobRuns.renew('tidy', 'one', now + 100), true)
      assert.equal(await store.jobRuns.take('tidy', { ...lease, owner: 'two', now: now + 99 }), false)
    })

    test('finishing records the end, and lets the job go', async (store) => {
      await store.jobRuns.schedule('tidy', now)
      await store.jobRuns.take('tidy', lease)
      assert.equal(await finish(store, 'one'), true)
      assert.deepEqual(await store.jobRuns.find('tidy'), {
        ...fresh,
        lastStartedAt: now,
        lastFinishedAt: now + 9,
        outcome: 'failed',
        summary: 'no',
        failures: 2,
        nextRunAt: now + 50,
      })
      assert.equal(await finish(store, 'one'), false)
      assert.equal(await store.jobRuns.take('tidy', { ...lease, now: now + 10 }), true)
    })
  })
}

function finish(store: Store, owner: string): Promise<boolean> {
  const end = {
    outcome: 'failed',
    summary: 'no',
    failures: 2,
    finishedAt: now + 9,
    nextRunAt: now + 50,
  } as const
  return store.jobRuns.finish('tidy', owner, end)
}
