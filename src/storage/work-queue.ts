import { CompiledQuery, type Kysely } from 'kysely'

/** A work that waits for a transaction, and hears what became of it. */
export interface QueuedWork {
  /** Does the work; rejects when it throws. */
  run(transaction: Kysely<unknown>): Promise<void>
  /** It was done, and is committed. */
  committed(): void
  /** Nothing of it happened. */
  failed(error: unknown): void
}

/**
 * How many works share a commit at the most. Beyond 64, PostgreSQL has no room for the savepoints of a transaction in
 * shared memory, and every other connection pays for that.
 */
const largestGroup = 50

/** How long a group takes new works in, in milliseconds: whoever else wants to write waits as long. */
const longestGroupMs = 50

const beginSavepoint = CompiledQuery.raw('savepoint work')
const releaseSavepoint = CompiledQuery.raw('release savepoint work')
const undoToSavepoint = CompiledQuery.raw('rollback to savepoint work')

/** The system's own, also where a test has put the clock into its own hands. */
const afterThisTurn = setImmediate

/**
 * Runs works one after another, in the order in which they came. Those that wait when it is their turn are run in one
 * transaction and share its commit, which is what takes long: it waits for the disk. None waits for others to come.
 *
 * Each but the first of a group has a savepoint, so that what throws is undone alone. When the first throws there is
 * nothing but its own to undo, and the next begins a new group: so a work that is alone pays for no savepoint. When the
 * commit fails, all of the group have failed.
 */
export class WorkQueue {
  readonly #db: Kysely<unknown>
  readonly #waiting: QueuedWork[] = []
  /** Hears how many works each commit held. */
  onCommit: ((works: number) => void) | undefined
  #running: Promise<void> | undefined

  constructor(db: Kysely<unknown>) {
    this.#db = db
  }

  add(work: QueuedWork): void {
    this.#waiting.push(work)
    this.#running ??= this.#runAll()
  }

  /** Resolves when nothing runs and nothing waits. */
  async empty(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #runAll(): Promise<void> {
    // What arrived at the same moment, such as requests that were read in one turn of the event loop, goes together.
    await new Promise<void>((resolve) => afterThisTurn(resolve))
    while (this.#waiting.length > 0) await this.#runGroup()
    this.#running = undefined
  }

  async #runGroup(): Promise<void> {
    const done: QueuedWork[] = []
    let begun = false
    let first: { readonly work: QueuedWork; readonly error: unknown } | undefined
    try {
      await this.#db.transaction().execute(async (transaction) => {
        begun = true
        const bare = transaction.withoutPlugins()
        const end = performance.now() + longestGroupMs
        while (done.length < largestGroup && (done.length === 0 || performance.now() < end)) {
          const work = this.#waiting.shift()
          if (work === undefined) break
          if (done.length > 0) {
            if (await this.#runInSavepoint(bare, work, done)) done.push(work)
            continue
          }
          await work.run(bare).catch((error: unknown) => {
            first = { work, error }
            throw error
          })
          done.push(work)
        }
      })
      for (const work of done) work.committed()
      if (done.length > 0) this.onCommit?.(done.length)
    } catch (error) {
      first?.work.failed(first.error)
      for (const work of done) work.failed(error)
      // Whatever hinders the beginning of one hinders all that wait, and each would wait for it in vain.
      if (!begun) for (const work of this.#waiting.splice(0)) work.failed(error)
    }
  }

  /** Whether the work was done. When it threw, it has heard so; rejects when the transaction is of no more use. */
  async #runInSavepoint(
    transaction: Kysely<unknown>,
    work: QueuedWork,
    done: readonly QueuedWork[],
  ): Promise<boolean> {
    try {
      if (done.length > 1) await transaction.executeQuery(releaseSavepoint)
      await transaction.executeQuery(beginSavepoint)
    } catch (error) {
      // The fault of those before it; it has not begun.
      this.#waiting.unshift(work)
      throw error
    }
    try {
      await work.run(transaction)
      return true
    } catch (error) {
      await transaction.executeQuery(undoToSavepoint).finally(() => work.failed(error))
      return false
    }
  }
}
