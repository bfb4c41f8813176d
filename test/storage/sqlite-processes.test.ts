import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { openSqliteStore } from '../../src/storage/open-store.ts'
import { unlessSqlite } from '../test-database.ts'
import { temporaryFolder } from './temporary-folder.ts'

describe('several processes on one SQLite database', { timeout: 60_000, skip: unlessSqlite }, () => {
  test('what was acknowledged is there after a kill -9', async (t) => {
    const path = join(temporaryFolder(t), 'hallpass.db')
    const child = startChild(t, 'commit-until-killed', path)
    let acknowledged = 0
    for await (const line of createInterface(child.stdout)) {
      acknowledged = Number(line)
      if (acknowledged === 5) child.kill('SIGKILL')
    }
    assert.ok(acknowledged >= 5)
    const store = await openSqliteStore({ path })
    t.after(() => store.close())
    const kept = (await store.audit.last())?.sequence ?? 0
    // The child may have been killed after a commit and before it could say so.
    assert.ok(
      kept === acknowledged || kept === acknowledged + 1,
      `${kept} kept, ${acknowledged} acknowledged`,
    )
    assert.equal((await store.audit.list({ limit: kept + 1 })).length, kept)
  })

  test('a kill -9 inside a transaction leaves nothing of it', async (t) => {
    const path = join(temporaryFolder(t), 'hallpass.db')
    const child = startChild(t, 'hang-in-transaction', path)
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    const store = await openSqliteStore({ path })
    t.after(() => store.close())
    assert.equal((await store.audit.last())?.sequence, 1)
  })

  test('four that make the same database at once all succeed', async (t) => {
    const path = join(temporaryFolder(t), 'new', 'hallpass.db')
    const names = ['a', 'b', 'c', 'd']
    const children = names.map((name) => startChild(t, 'open-at-once', path, name))
    assert.deepEqual(await runTogether(children), [0, 0, 0, 0])
    const store = await openSqliteStore({ path })
    t.after(() => store.close())
    const settings = await store.settings.all()
    assert.deepEqual(
      settings.map(({ name }) => name),
      names,
    )
  })

  // SQLite refuses the change to write-ahead logging at once when two make it together, whatever the timeout.
  test('two connections that make the same database at the same moment both succeed', async (t) => {
    const shared = {
      folder: temporaryFolder(t),
      arrivals: new SharedArrayBuffer(4),
      workers: 2,
      databases: 60,
    }
    const workers = Array.from({ length: shared.workers }, () => {
      return new Worker(new URL('child/open-many.ts', import.meta.url), { workerData: shared })
    })
    const refused = await Promise.all(workers.map((worker) => once(worker, 'message')))
    assert.deepEqual(refused.flat(2), [])
  })

  test('transactions of two that read and then write wait for each other, and none is lost', async (t) => {
    const path = join(temporaryFolder(t), 'hallpass.db')
    const children = [startChild(t, 'count-up', path), startChild(t, 'count-up', path)]
    assert.deepEqual(await runTogether(children), [0, 0])
    const store = await openSqliteStore({ path })
    t.after(() => store.close())
    assert.equal((await store.settings.all())[0]?.value, '400')
  })
})

type Child = ChildProcessByStdio<Writable, Readable, null>

/** Lets children begin once all are ready; answers with their exit codes. */
async function runTogether(children: readonly Child[]): Promise<readonly unknown[]> {
  await Promise.all(children.map((child) => once(child.stdout, 'data')))
  const closed = children.map((child) => once(child, 'close'))
  for (const child of children) child.stdin.write('go\n')
  return (await Promise.all(closed)).map(([code]) => code)
}

function startChild(t: TestContext, script: string, ...parameters: string[]): Child {
  const path = fileURLToPath(new URL(`child/${script}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=hallpass-source', path, ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}
