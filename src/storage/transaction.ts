import { AsyncLocalStorage } from 'node:async_hooks'
import type { Kysely, KyselyPlugin } from 'kysely'
import { type QueuedWork, WorkQueue } from './work-queue.ts'

/** What is known of a work while it runs, and afterwards to all that it started. */
interface Work {
  /** The handle of the database that it is a transaction of. */
  readonly database: object
  /** The work, on another database, that it was begun in. */
  readonly around: Work | undefined
  running: boolean
}

/** Set while the work of a transaction runs, and for all that it starts. */
const current = new AsyncLocalStorage<Work>()

/** The work that a handle was made for. */
const works = new WeakMap<object, Work>()

/** One queue for each database: its handle is the same each time. */
const queues = new WeakMap<object, WorkQueue>()

/**
 * Runs `work` in a transaction of `db`, or in the one that `db` already is. All of it happens or, when it throws, none.
 * The handle that `work` is given is the only one that it may use, and not after `work` is over.
 *
 * Such transactions run one after another, on every database, whoever begins them: what a work reads is still so when
 * it writes. Works that wait for their turn share one commit, see {@link WorkQueue}. A work that only reads has no need
 * of that: `inSnapshot`.
 *
 * @throws TypeError when it is begun inside the work of another
 */
export async function inTransaction<Tables, T>(
  db: Kysely<Tables>,
  work: (transaction: Kysely<Tables>) => Promise<T>,
): Promise<T> {
  if (db.isTransaction) return work(db)
  refuseInsideWork(db)
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  // Whoever runs the queue does so for many callers; each work belongs to its own.
  const asItsCaller = AsyncLocalStorage.snapshot()
  let committed = (): void => {}
  const queued: QueuedWork = {
    async run(transaction) {
      const answer = await asItsCaller(() => runWork(db, transaction as unknown as Kysely<Tables>, work))
      committed = () => resolve(answer)
    },
    committed: () => committed(),
    failed: reject,
  }
  queueOf(db).add(queued)
  return promise
}

/**
 * Runs `work`, which only reads, so that all that it reads is as it was at one moment. It waits for no writing
 * transaction of another connection, and lets none wait. In a transaction it is a part of that.
 *
 * @throws TypeError when it is begun inside the work of another
 */
export async function inSnapshot<Tables, T>(
  db: Kysely<Tables>,
  work: (transaction: Kysely<Tables>) => Promise<T>,
): Promise<T> {
  if (db.isTransaction) return work(db)
  refuseInsideWork(db)
  const snapshot = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  return snapshot.execute((transaction) => runWork(db, transaction.withoutPlugins(), work))
}

/** Resolves when every transaction of `db` that was asked for is over. */
export async function transactionsOver(db: Kysely<unknown>): Promise<void> {
  await queues.get(db)?.empty()
}

/**
 * Refuses a query that is asked of the database, and not of the transaction, inside the work of a transaction. On one
 * connection it would wait for the transaction and the transaction for it, and the whole server with them. `handle`
 * answers with the database's handle.
 */
export function refuseQueriesBesideTransaction(handle: () => object): KyselyPlugin {
  return {
    transformQuery({ node }) {
      refuseInsideWork(handle())
      return node
    },
    async transformResult({ result }) {
      return result
    },
  }
}

/** The checks that plugins make, for a compiled query, which passes by plugins. */
export function refuseCompiledQuery(db: object): void {
  const work = works.get(db)
  if (work === undefined) refuseInsideWork(db)
  else refuseWhenOver(work)
}

function refuseInsideWork(database: object): void {
  for (let work = current.getStore(); work; work = work.around) {
    if (!work.running || work.database !== database) continue
    throw new TypeError(
      'the store was used inside the work of a transaction: use the session that the work is given',
    )
  }
}

function refuseWhenOver({ running }: Work): void {
  if (!running) throw new TypeError('a session was used after the work that it was given to was over')
}

/** Tells how many works each commit on `db` holds, in the place of whoever was told before. */
export function observeCommits<Tables>(db: Kysely<Tables>, onCommit: (works: number) => void): void {
  queueOf(db).onCommit = onCommit
}

function queueOf<Tables>(db: Kysely<Tables>): WorkQueue {
  const known = queues.get(db) ?? new WorkQueue(db as unknown as Kysely<unknown>)
  queues.set(db, known)
  return known
}

/** Runs a work with a handle of its own, for the transaction may go on with the works of others. */
async function runWork<Tables, T>(
  database: object,
  transaction: Kysely<Tables>,
  work: (transaction: Kysely<Tables>) => Promise<T>,
): Promise<T> {
  const around = current.getStore()
  // One that is over is not kept: works begin in what others have started, one after another, without end.
  const state: Work = { database, around: around?.running ? around : undefined, running: true }
  const handle = transaction.withPlugin({
    transformQuery({ node }) {
      refuseWhenOver(state)
      return node
    },
    async transformResult({ result }) {
      return result
    },
  })
  works.set(handle, state)
  try {
    return await current.run(state, () => work(handle))
  } finally {
    state.running = false
  }
}
