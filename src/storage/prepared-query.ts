import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import { refuseCompiledQuery } from './transaction.ts'

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
    refuseCompiledQuery(db)
    if (compiled === undefined) {
      compiled = build(value).compile()
      preparedTexts.add(compiled.sql)
    }
    const { rows } = await db.executeQuery<Row>({ ...compiled, parameters: [value] })
    return rows
  }
}

/** The texts of these queries, for databases that prepare a statement when they are told to. There are a few of them. */
export const preparedTexts: Set<string> = new Set<string>()
