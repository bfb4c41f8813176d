import assert from 'node:assert/strict'
import cluster from 'node:cluster'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type CrewOptions, WorkerCrew } from '../../src/cli/worker-crew.ts'

const exec = fileURLToPath(new URL('stand-in-worker.ts', import.meta.url))

async function startCrew(t: TestContext, options: Partial<CrewOptions>): Promise<WorkerCrew> {
  cluster.setupPrimary({ exec })
  const crew = new WorkerCrew({ workers: 2, env: {}, log: () => {}, ...options })
  t.after(() => crew.stop())
  await crew.start()
  return crew
}

function pids(): readonly (number | undefined)[] {
  return Object.values(cluster.workers ?? {}).map((worker) => worker?.process.pid)
}

test('who asks for new workers during a replacement gets workers that were started after that', async (t) => {
  const crew = await startCrew(t, {})
  const replaced = crew.replaceAll()
  const firstNew = await new Promise<number | undefined>((resolve) =>
    cluster.once('fork', ({ process }) => resolve(process.pid)),
  )
  void crew.replaceAll()
  await replaced
  assert.equal(pids().length, 2)
  assert.ok(!pids().includes(firstNew))
})

test('a worker that does not end is ended, and the next is replaced', async (t) => {
  const crew = await startCrew(t, { env: { STUBBORN: '1' }, patienceMs: 100 })
  const before = pids()
  await crew.replaceAll()
  assert.equal(pids().length, 2)
  assert.deepEqual(
    pids().filter((pid) => before.includes(pid)),
    [],
  )
})
