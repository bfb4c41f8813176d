import type { DatabaseSync } from 'node:sqlite'
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { isBusy } from './opening-failed.ts'
import type { Turns } from './turns.ts'

/** How long to wait for another process that holds the database, in milliseconds. */
export const busyPatienceMs = 5000

/** How long to wait before it is asked again: at first, and at the most, in milliseconds. */
const [shortestWaitMs, longestWaitMs] = [1, 10]

/** The system's own, also where a test has put the clock into its own hands. */
const later = setTimeout

/**
 * A connection that waits for other processes without keeping this one waiting. SQLite's own `busy_timeout` sleeps on the
 * thread that runs everything, so it is 0, and what found the database held is asked again, for five seconds. Whoever has
 * a turn gives it up meanwhile, so that others read; but not inside a transaction, which is nobody else's.
 */
export class PatientConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection
  readonly #database: DatabaseSync
  readonly #turns: Turns

  constructor(connection: DatabaseConnection, database: DatabaseSync, turns: Turns) {
    this.#connection = connection
    this.#database = database
    this.#turns = turns
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    try {
      return await this.#connection.executeQuery<Row>(query)
    } catch (error) {
      if (!isBusy(error)) throw error
      return this.#askAgain<Row>(query)
    }
  }

  async #askAgain<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const end = performance.now() + busyPatienceMs
    for (let waitMs = shortestWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      await this.#wait(waitMs)
      try {
        return await this.#connection.executeQuery<Row>(query)
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw error
      }
    }
  }

  async #wait(waitMs: number): Promise<void> {
    const keepsItsTurn = this.#database.isOpen && this.#database.isTransaction
    if (!keepsItsTurn) this.#turns.give()
    await new Promise((resolve) => later(resolve, waitMs))
    if (!keepsItsTurn) await this.#turns.take()
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.#connection.streamQuery<Row>(query, chunkSize)
  }
}
