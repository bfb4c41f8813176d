import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { systemActor } from '../../src/domain/events.ts'
import { inBatches, type Job, type JobRun } from '../../src/domain/job.ts'
import { JobRunner } from '../../src/domain/job-runner.ts'
import { scheduleJobs } from '../../src/domain/job-scheduler.ts'
import { noObserver } from '../../src/domain/observation.ts'
import type { Domain } from '../../src/domain/ports.ts'
import type { Store } from '../../src/domain/store.ts'
import { type ManualTime, manualTime } from '../manual-time.ts'
import { openTestStore } from '../test-database.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

describe('JobRunner.run', () => {
  test('runs the job, records how it went, and says when it is due again', async (t) => {
    const { node, time } = await setUp(t)
    const runner = node([job('tidy')])
    const answer = await runner.run('tidy', systemActor)
    const now = time.clock.now()
    assert.equal(answer.outcome, 'ran')
    const { nextRunAt, ...state } = answer.job
    assert.deepEqual(state, {
      name: 'tidy',
      description: 'tidy.',
      everyMs: hourMs,
      isRunning: false,
      lastStartedAt: now,
      lastFinishedAt: now,
      outcome: 'succeeded',
      summary: 'done',
    })
    assert.ok(nextRunAt !== null && nextRunAt >= now + hourMs && nextRunAt <= now + hourMs * 1.05)
    assert.deepEqual(await runner.states(), [answer.job])
  })

  test('is audited as asked for by whoever asked', async (t) => {
    const { node, store } = await setUp(t)
    const actor = { userId: '7', via: 'session', address: '192.0.2.7' } as const
    await node([job('tidy')]).run('tidy', actor)
    const entry = await store.audit.last()
    assert.deepEqual(
      [entry?.action, entry?.actorUserId, entry?.actorAddress, entry?.details],
      ['job_run_asked_for', '7', '192.0.2.7', '{"job":"tidy"}'],
    )
  })

  test('refuses a name that is no job’s', async (t) => {
    const { node, store } = await setUp(t)
    const answer = await node([job('tidy')]).run('sweep', systemActor)
    assert.equal(answer.outcome === 'refused' && answer.refusal.reason, 'not_found')
    assert.equal(await store.audit.last(), undefined)
  })

  test('refuses while another node runs the job, and lets it when that is done', async (t) => {
    const { node } = await setUp(t)
    const gate = Promise.withResolvers<void>()
    const [one, other] = [node([job('tidy', () => gate.promise)]), node([job('tidy')])]
    const first = one.run('tidy', systemActor)
    await until(async () => (await other.states())[0]?.isRunning === true)
    const refused = await other.run('tidy', systemActor)
    assert.equal(refused.outcome === 'refused' && refused.refusal.reason, 'job_running')
    gate.resolve()
    await first
    assert.equal((await other.run('tidy', systemActor)).outcome, 'ran')
  })

  test('records a job that throws as failed, with its message, and tells who listens', async (t) => {
    const { node, faults } = await setUp(t)
    const runner = node([job('tidy', () => Promise.reject(new Error('the broom is broken')))])
    const answer = await runner.run('tidy', systemActor)
    assert.ok(answer.outcome === 'ran')
    assert.deepEqual([answer.job.outcome, answer.job.summary], ['failed', 'the broom is broken'])
    assert.deepEqual(faults, ['tidy: the broom is broken'])
  })

  test('tries a failed job again a minute later, then after twice as long each time, until it is due anyway', async (t) => {
    const { node, time } = await setUp(t)
    const runner = node([job('tidy', () => Promise.reject(new Error('no')))])
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      await runner.run('tidy', systemActor)
      const waitMs = ((await runner.states())[0]?.nextRunAt ?? 0) - time.clock.now()
      assert.ok(waitMs >= minutes * minuteMs && waitMs <= minutes * minuteMs * 1.2, `${waitMs}`)
    }
  })

  test('a run that stands still for longer than its lease commits nothing once another has the job', async (t) => {
    const { node, store, time } = await setUp(t)
    const gate = Promise.withResolvers<void>()
    const slow = node([
      job('tidy', async (run) => {
        await gate.promise
        await run.commit((session) => put(session, 'slow'))
      }),
    ])
    const other = node([job('tidy', (run) => run.commit((session) => put(session, 'other')))])
    const first = slow.run('tidy', systemActor)
    await until(async () => (await other.states())[0]?.isRunning === true)
    time.freeze(minuteMs)
    const [state] = await other.states()
    assert.deepEqual([state?.isRunning, state?.outcome], [false, 'interrupted'])
    assert.equal((await other.run('tidy', systemActor)).outcome, 'ran')
    gate.resolve()
    await first
    assert.deepEqual(
      (await store.settings.all()).map(({ value }) => value),
      ['other'],
    )
    assert.equal((await other.states())[0]?.outcome, 'succeeded')
  })

  test('a run keeps its job for as long as it goes on', async (t) => {
    const { node, time } = await setUp(t)
    const gate = Promise.withResolvers<void>()
    const runner = node([job('tidy', () => gate.promise)])
    const running = runner.run('tidy', systemActor)
    await time.advance(10 * minuteMs)
    assert.equal((await runner.states())[0]?.isRunning, true)
    gate.resolve()
    await running
    assert.equal(time.pending(), 0)
  })
})

describe('JobRunner.close', () => {
  test('ends a run after its present batch, waits for it, and leaves it due', async (t) => {
    const { node, store, time } = await setUp(t)
    const firstBatch = Promise.withResolvers<void>()
    const runner = node([
      job('tidy', async (run) => {
        await inBatches<number>(run, async (session, after = 0) => {
          firstBatch.resolve()
          await put(session, String(after))
          return { result: { done: 1, next: after + 1 }, events: [] }
        })
      }),
    ])
    const running = runner.run('tidy', systemActor)
    await firstBatch.promise
    await runner.close()
    assert.deepEqual(
      (await store.settings.all()).map(({ value }) => value),
      ['0'],
    )
    const answer = await running
    assert.ok(answer.outcome === 'ran')
    assert.equal(answer.job.outcome, 'interrupted')
    assert.equal(answer.job.nextRunAt, time.clock.now())
    assert.equal(answer.job.isRunning, false)
  })
})

describe('scheduleJobs', () => {
  test('does nothing at the start, runs what was never run within a minute, and then when it is due', async (t) => {
    const { node, time, store, schedule } = await setUp(t)
    const times: number[] = []
    const jobs = [job('tidy', async () => void times.push(time.clock.now()))]
    const started = time.clock.now()
    schedule(node(jobs), jobs)
    await time.advance(29_000)
    assert.deepEqual(await store.jobRuns.all(), [])
    await time.advance(31_000)
    assert.equal(times.length, 1)
    await time.advance(5 * hourMs)
    const gaps = times.map((at, index) => at - (times[index - 1] ?? started)).slice(1)
    assert.ok(gaps.length === 4 || gaps.length === 5, `${gaps.length}`)
    for (const gap of gaps) assert.ok(gap >= hourMs && gap <= hourMs * 1.05 + 2 * minuteMs, `${gap}`)
  })

  test('of several nodes one runs each job, however often they look', async (t) => {
    const { node, time, schedule } = await setUp(t)
    const runs: string[] = []
    for (const name of ['a', 'b', 'c']) {
      const jobs = [
        job('tidy', async () => void runs.push(name)),
        job('sweep', async () => void runs.push(name)),
      ]
      schedule(node(jobs), jobs)
    }
    await time.advance(10 * minuteMs)
    assert.equal(runs.length, 2)
  })

  test('a job that throws is tried again, and stops no other', async (t) => {
    const { node, time, schedule } = await setUp(t)
    const runs: string[] = []
    const jobs = [
      job('broken', async () => {
        runs.push('broken')
        if (runs.filter((name) => name === 'broken').length < 3) throw new Error('no')
      }),
      job('tidy', async () => void runs.push('tidy')),
    ]
    const runner = node(jobs)
    schedule(runner, jobs)
    await time.advance(10 * minuteMs)
    assert.deepEqual(runs, ['broken', 'tidy', 'broken', 'broken'])
    assert.deepEqual(
      (await runner.states()).map(({ outcome }) => outcome),
      ['succeeded', 'succeeded'],
    )
  })

  test('a job whose process died is run by another once its lease is over', async (t) => {
    const { node, time, store, schedule } = await setUp(t)
    await store.jobRuns.schedule('tidy', time.clock.now())
    const now = time.clock.now()
    await store.jobRuns.take('tidy', { owner: 'dead', now, until: now + 3 * minuteMs, onlyDue: true })
    const times: number[] = []
    const jobs = [job('tidy', async () => void times.push(time.clock.now()))]
    schedule(node(jobs), jobs)
    await time.advance(3 * minuteMs - 1)
    assert.deepEqual(times, [])
    await time.advance(2 * minuteMs)
    assert.equal(times.length, 1)
  })

  test('goes on after the store could not be asked', async (t) => {
    const { node, time, store, schedule, faults } = await setUp(t)
    const runs: string[] = []
    const jobs = [job('tidy', async () => void runs.push('run'))]
    const all = t.mock.method(store.jobRuns, 'all', () => Promise.reject(new Error('no answer')))
    schedule(node(jobs), jobs)
    await time.advance(minuteMs)
    assert.deepEqual([runs, faults], [[], ['no answer']])
    all.mock.restore()
    await time.advance(2 * minuteMs)
    assert.deepEqual(runs, ['run'])
  })

  test('runs nothing once it was stopped', async (t) => {
    const { node, time, schedule } = await setUp(t)
    const runs: string[] = []
    const jobs = [job('tidy', async () => void runs.push('run'))]
    schedule(node(jobs), jobs)()
    await time.advance(10 * minuteMs)
    assert.deepEqual([runs, time.pending()], [[], 0])
  })
})

interface SetUp {
  readonly store: Store
  readonly time: ManualTime
  /** What was told of by runners and schedulers. */
  readonly faults: string[]
  /** A process of its own on the one store. */
  node(jobs: readonly Job[]): JobRunner
  schedule(runner: JobRunner, jobs: readonly Job[]): () => void
}

async function setUp(t: TestContext): Promise<SetUp> {
  const store = await openTestStore()
  t.after(() => store.close())
  const time = manualTime()
  const faults: string[] = []
  let seed = 0
  const random = {
    bytes: (length: number) =>
      Uint8Array.from({ length }, () => {
        seed = (seed * 73 + 41) % 65_521
        return seed % 256
      }),
  }
  // What runners and schedulers need of a domain, and no more.
  const events = { publish: () => {} }
  const domain = { store, clock: time.clock, random, events, observer: noObserver } as unknown as Domain
  return {
    store,
    time,
    faults,
    node: (jobs) =>
      new JobRunner(domain, {
        jobs,
        timers: time.timers,
        onError: (error, name) => faults.push(`${name}: ${(error as Error).message}`),
      }),
    schedule: (runner, jobs) =>
      scheduleJobs(domain, runner, {
        jobs,
        timers: time.timers,
        onError: (error) => faults.push((error as Error).message),
      }),
  }
}

function job(name: string, work: (run: JobRun) => Promise<unknown> = async () => {}): Job {
  return {
    name,
    description: `${name}.`,
    everyMs: hourMs,
    async run(_domain, run) {
      await work(run)
      return { summary: 'done' }
    },
  }
}

async function put(
  session: Pick<Store, 'settings'>,
  value: string,
): Promise<{ result: undefined; events: [] }> {
  await session.settings.put({ name: value, value, updatedAt: 0 })
  return { result: undefined, events: [] }
}

/** Waits for something that comes by itself soon. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, 'it did not come')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
