import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import { refuseInsideWork } from './transaction.ts'

/**
 * A query that is built at its first use and afterwards only run, with another value each time. For the queries that
 * every request may need: building one costs more than running it.
 *
 * `build` is called with the first value. That must be the only value it puts into the query, once and unchanged.
 */
export function preparedOnce<Tables, Value, Row>(
  db: Kysely<Tables>,
  build: (value: Value) => Compilable<Row>,
): (value: Value) => Promise<readonly Row[]> {
  let compiled: CompiledQuery<Row> | undefined
  return async (value) => {
    if (!db.isTransaction) refuseInsideWork()
    compiled ??= build(value).compile()
    const { rows } = await db.executeQuery<Row>({ ...compiled, parameters: [value] })
    return rows
  }
}
