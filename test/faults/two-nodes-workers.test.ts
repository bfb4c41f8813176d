/** A site of two nodes, one of which has two workers, under a stream of requests through both. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../eventually.ts'
import {
  ask,
  assertMostlyAnswered,
  childrenOf,
  linesOf,
  skip,
  startTwoNodes,
  type TwoNodeSite,
} from './two-node-site.ts'

describe('two nodes, one with workers', { skip }, () => {
  let site: TwoNodeSite

  before(async () => {
    site = await startTwoNodes({ flagsOfB: ['--workers', '2'] })
  })
  after(async () => {
    await site?.stop()
  })

  const workers = (): readonly number[] => childrenOf(site.nodes.B.pid)

  test('a worker is killed: its connections are reset, the other answers, and another takes its place', async () => {
    const { nodes, stream } = site
    const excused = stream.excuse('B')
    const [victim = 0] = workers()
    const since = performance.now()
    process.kill(victim, 'SIGKILL')
    await eventually(workers, (pids) => pids.length === 2 && !pids.includes(victim))
    const began = performance.now()
    await eventually(() => stream.since(began, 'B').length >= 200)
    excused()
    const lost = stream.since(since, 'B').filter(({ status }) => status === 0)
    assert.ok(lost.length <= 8, `${lost.length} requests were lost`)
    assert.equal(linesOf(nodes.B, /worker_ended/).length, 1)
    assertMostlyAnswered(stream.since(since, 'A'))
  })

  test('a worker stands still: what it is given waits, and the other answers', async (t) => {
    const excused = site.stream.excuse('B')
    const [victim = 0] = workers()
    process.kill(victim, 'SIGSTOP')
    t.after(() => process.kill(victim, 'SIGCONT'))
    const answers: ReturnType<typeof ask>[] = []
    let count = 0
    // Again and again: the other may be the one that was just started, and not listen yet.
    await eventually(() => {
      const answer = ask(site.nodes.B, '/healthz')
      answers.push(answer)
      void answer.then(() => (count += 1))
      return count > 0
    })
    process.kill(victim, 'SIGCONT')
    for (const { status } of await Promise.all(answers)) assert.equal(status, 200)
    excused()
  })

  test('SIGHUP replaces each worker, and no request is lost', async (t) => {
    const { nodes, stream } = site
    for (let round = 0; round < 2; round += 1) {
      const old = workers()
      const since = performance.now()
      process.kill(nodes.B.pid, 'SIGHUP')
      await eventually(workers, (pids) => pids.length === 2 && !pids.some((pid) => old.includes(pid)), 55_000)
      const replaced = performance.now()
      await eventually(() => stream.since(replaced, 'B').length >= 100)
      const seen = stream.since(since, 'B')
      assert.deepEqual(
        seen.filter(({ status }) => status === 0),
        [],
      )
      t.diagnostic(`${seen.length} requests during ${Math.round(replaced - since)} ms`)
    }
  })

  // What an attacker would gain: a key that its owner saw revoked, and that one of three processes still lets in.
  test('a key that one worker revokes every process refuses within the bound', async () => {
    const key = await site.newKey('B')
    site.stream.add(key)
    await eventually(() => site.stream.since(performance.now() - 300, 'B').length >= 40)
    await site.revoke('B', key)
    const { status } = await eventually(
      () => ask(site.nodes.A, '/session/current.json', { 'user-api-key': key }),
      (answer) => answer.status !== 200,
      2000,
    )
    assert.equal(status, 403)
  })

  test('the first process is killed: its workers finish and end, and node A goes on', async () => {
    const { stream } = site
    const old = workers()
    const since = performance.now()
    const bringBack = await site.kill('B')
    await eventually(() => old.every((pid) => !isRunning(pid)))
    assertMostlyAnswered(stream.since(since, 'A'))
    await bringBack()
    assert.equal(workers().length, 2)
  })

  test('of all requests, none was answered wrongly', async (t) => {
    const faults = await site.stream.stop()
    t.diagnostic(`${site.stream.seen.length} requests`)
    assert.deepEqual(faults.slice(0, 20), [])
  })
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
