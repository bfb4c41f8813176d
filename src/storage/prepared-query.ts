import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import type { HallpassTables } from './schema.ts'
import { refuseCompiledQuery } from './transaction.ts'

type Handle = Kysely<HallpassTables>

/**
 * A query that is built at its first use and afterwards only run, on whatever handle and with other values each time. For
 * the queries that many requests need: building one costs several times what running it does.
 *
 * `build` is called with a stand-in for every value, which it may put into the query as often as it likes, but cannot look
 * at. It names the columns that it reads: PostgreSQL would refuse a prepared `*` once a newer server has added a column.
 */
export function prepared<Given extends object, Row>(
  build: (db: Handle, given: Given) => Compilable<Row>,
): (db: Handle, given: Given) => Promise<readonly Row[]> {
  // Its list has one entry.
  const run = preparedRows<Given, Row>((db, [given = placeholders<Given>(0)]) => build(db, given))
  return (db, given) => run(db, [given])
}

/** The same for a query that is given a list, such as an insert of many rows: built once for every length of the list. */
export function preparedRows<Given extends object, Row>(
  build: (db: Handle, list: readonly Given[]) => Compilable<Row>,
): (db: Handle, list: readonly Given[]) => Promise<readonly Row[]> {
  // The text is the database's own, and the adapter is one for each database, the same in all of its transactions.
  const known = new WeakMap<object, Map<number, CompiledQuery<Row>>>()

  function compiled(db: Handle, length: number): CompiledQuery<Row> {
    const { adapter } = db.getExecutor()
    const byLength = known.get(adapter) ?? new Map<number, CompiledQuery<Row>>()
    known.set(adapter, byLength)
    const before = byLength.get(length)
    if (before) return before
    const list = Array.from({ length }, (_, index) => placeholders<Given>(index))
    const query = build(db, list).compile()
    preparedTexts.add(query.sql)
    byLength.set(length, query)
    return query
  }

  return async (db, list) => {
    refuseCompiledQuery(db)
    const query = compiled(db, list.length)
    const parameters = query.parameters.map((parameter) =>
      parameter instanceof Placeholder ? Reflect.get(list[parameter.index] ?? {}, parameter.name) : parameter,
    )
    const { rows } = await db.executeQuery<Row>({ ...query, parameters })
    return rows
  }
}

/** The texts of these queries, for databases that prepare a statement when they are told to. There are a few of them. */
export const preparedTexts: Set<string> = new Set<string>()

/** Stands for the value `name` of the list's entry `index`. */
class Placeholder {
  readonly index: number
  readonly name: PropertyKey

  constructor(index: number, name: PropertyKey) {
    this.index = index
    this.name = name
  }
}

function placeholders<Given extends object>(index: number): Given {
  return new Proxy({} as Given, { get: (_, name) => new Placeholder(index, name) })
}
