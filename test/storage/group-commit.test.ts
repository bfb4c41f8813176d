import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import type { Store } from '../../src/domain/store.ts'
import { openPostgresStore, openSqliteStore } from '../../src/storage/open-store.ts'
import { auditRecord } from '../../src/testing/store-contract/samples.ts'
import { freshPostgresUrl } from '../fresh-postgres.ts'
import { temporaryFolder } from './temporary-folder.ts'

interface Kind {
  readonly name: string
  open(t: TestContext): Promise<{ readonly store: Store; readonly reopen: () => Promise<Store> }>
  /** Listens to the statements from now on. */
  statements(t: TestContext): () => readonly string[]
}

const kinds: readonly Kind[] = [
  {
    name: 'SQLite',
    async open(t) {
      const path = join(temporaryFolder(t), 'hallpass.sqlite')
      const reopen = () => openSqliteStore({ path })
      return { store: await reopen(), reopen }
    },
    statements(t) {
      const texts: string[] = []
      // Statements stay prepared: what counts is how often each is run.
      const { prepare } = DatabaseSync.prototype
      t.mock.method(DatabaseSync.prototype, 'prepare', function (this: DatabaseSync, text: string) {
        const statement = prepare.call(this, text)
        const run = statement.run.bind(statement) as (
          ...parameters: unknown[]
        ) => ReturnType<typeof statement.run>
        statement.run = (...parameters: unknown[]) => {
          texts.push(text)
          return run(...parameters)
        }
        return statement
      })
      return () => texts
    },
  },
  {
    name: 'PostgreSQL',
    async open() {
      const url = await freshPostgresUrl()
      const reopen = () => openPostgresStore({ url })
      return { store: await reopen(), reopen }
    },
    statements(t) {
      const query = t.mock.method(pg.Client.prototype, 'query')
      return () =>
        query.mock.calls.flatMap(({ arguments: [config] }) => (config as { text?: string }).text ?? [])
    },
  },
]

for (const { name, open, statements } of kinds) {
  describe(`transactions that wait for their turn on ${name}`, () => {
    test('share commits: far fewer than there are transactions, and all are kept', async (t) => {
      const texts = statements(t)
      const { store, reopen } = await open(t)
      // However slow the machine, no group ends because its time is over.
      t.mock.method(performance, 'now', () => 0)
      const before = commits(texts())
      const works = Array.from({ length: 100 }, (_, index) =>
        store.transaction((session) => session.audit.append(auditRecord(index + 1))),
      )
      await Promise.all(works)
      const made = commits(texts()) - before
      assert.ok(made <= 10, `${made} commits`)
      await store.close()
      const again = await reopen()
      t.after(() => again.close())
      assert.equal((await again.audit.list({ limit: 200 })).length, 100)
    })

    test('no more than 50 share one, so that nobody waits for all', async (t) => {
      const texts = statements(t)
      const { store } = await open(t)
      t.after(() => store.close())
      const before = commits(texts())
      await Promise.all(
        Array.from({ length: 101 }, (_, index) =>
          store.transaction((session) => session.audit.append(auditRecord(index + 1))),
        ),
      )
      assert.ok(commits(texts()) - before >= 3)
    })

    test('one that is alone has no savepoint', async (t) => {
      const texts = statements(t)
      const { store } = await open(t)
      t.after(() => store.close())
      await store.transaction((session) => session.audit.append(auditRecord(1)))
      await assert.rejects(store.transaction(() => Promise.reject(new Error('on purpose'))))
      await store.transaction((session) => session.audit.append(auditRecord(2)))
      assert.ok(texts().length > 0)
      assert.deepEqual(
        texts().filter((text) => text.includes('savepoint')),
        [],
      )
    })

    test('a commit that fails has failed for all that share it', async (t) => {
      const problem = new Error('the disk is full')
      const disk = failingCommits(t, problem)
      const { store } = await open(t)
      t.after(() => store.close())
      disk.isFull = true
      const works = [1, 2, 3].map((sequence) =>
        store.transaction((session) => session.audit.append(auditRecord(sequence))),
      )
      const outcomes = await Promise.allSettled(works)
      disk.isFull = false
      assert.ok(outcomes.every((one) => one.status === 'rejected' && one.reason === problem))
      assert.equal(await store.audit.last(), undefined)
      await store.transaction((session) => session.audit.append(auditRecord(1)))
    })
  })
}

function commits(texts: readonly string[]): number {
  return texts.filter((text) => text === 'commit').length
}

/** Commits fail with `problem` on every database while the disk is full. */
function failingCommits(t: TestContext, problem: Error): { isFull: boolean } {
  const disk = { isFull: false }
  const { query } = pg.Client.prototype
  const failingQuery = function (this: pg.Client, ...parameters: unknown[]): unknown {
    const [config] = parameters as [{ text?: string }]
    if (disk.isFull && config.text === 'commit') return Promise.reject(problem)
    return Reflect.apply(query, this, parameters)
  }
  t.mock.method(pg.Client.prototype, 'query', failingQuery as typeof query)
  const { prepare } = DatabaseSync.prototype
  t.mock.method(DatabaseSync.prototype, 'prepare', function (this: DatabaseSync, text: string) {
    const statement = prepare.call(this, text)
    const run = statement.run.bind(statement) as (
      ...parameters: unknown[]
    ) => ReturnType<typeof statement.run>
    statement.run = (...parameters: unknown[]) => {
      if (disk.isFull && text === 'commit') throw problem
      return run(...parameters)
    }
    return statement
  })
  return disk
}
