import { AsyncLocalStorage } from 'node:async_hooks'
import type { Kysely, KyselyPlugin, Transaction } from 'kysely'

/** Set while the work of a transaction runs, and for all that it starts. */
const current = new AsyncLocalStorage<{ running: boolean }>()

/**
 * Runs `work` in a transaction of `db`, or in the one that `db` already is. All of it happens or, when it throws, none.
 * The handle that `work` is given is the only one that it may use.
 *
 * @throws TypeError when it is begun inside the work of another
 */
export async function inTransaction<Tables, T>(
  db: Kysely<Tables>,
  work: (transaction: Kysely<Tables>) => Promise<T>,
): Promise<T> {
  if (db.isTransaction) return work(db)
  refuseInsideWork()
  const state = { running: true }
  try {
    return await db
      .transaction()
      .execute((transaction) => current.run(state, () => work(withoutRefusal(transaction))))
  } finally {
    state.running = false
  }
}

/**
 * Refuses a query that is asked of the database, and not of the transaction, inside the work of a transaction. On one
 * connection it would wait for the transaction and the transaction for it, and the whole server with them.
 */
export const refuseQueriesBesideTransaction: KyselyPlugin = {
  transformQuery({ node }) {
    refuseInsideWork()
    return node
  },
  async transformResult({ result }) {
    return result
  },
}

/** The check of {@link refuseQueriesBesideTransaction}, for a compiled query, which passes by plugins. */
export function refuseInsideWork(): void {
  if (current.getStore()?.running) {
    throw new TypeError(
      'the store was used inside the work of a transaction: use the session that the work is given',
    )
  }
}

function withoutRefusal<Tables>(transaction: Transaction<Tables>): Transaction<Tables> {
  return transaction.withoutPlugins()
}
