import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
  type TransactionSettings,
} from 'kysely'
import { PatientConnection } from './patient-connection.ts'
import { Turns } from './turns.ts'

/** Kysely's own SQLite dialect on `node:sqlite`. Destroying Kysely closes the connection. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: DatabaseSync
  readonly #adapted: SqliteDatabase

  constructor(database: DatabaseSync) {
    const adapted = adapt(database)
    super({ database: adapted })
    this.#database = database
    this.#adapted = adapted
  }

  override createDriver(): SqliteDriver {
    return new NodeSqliteDriver(this.#database, this.#adapted)
  }

  override createAdapter(): SqliteAdapter {
    return new NodeSqliteAdapter()
  }
}

class NodeSqliteAdapter extends SqliteAdapter {
  /** There is one, but who has it is kept by the driver, and not by Kysely, which would let nobody have it in between. */
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

class NodeSqliteDriver extends SqliteDriver {
  readonly #turns = new Turns()
  #connection: PatientConnection | undefined
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync, adapted: SqliteDatabase) {
    super({ database: adapted })
    this.#database = database
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns.take()
    this.#connection ??= new PatientConnection(await super.acquireConnection(), this.#database, this.#turns)
    return this.#connection
  }

  override async releaseConnection(): Promise<void> {
    this.#turns.give()
  }

  /**
   * Takes the lock for writing at once. A transaction that reads first and asks for the lock later is refused without
   * waiting when another process has written in between. One that only reads wants no such lock.
   */
  override async beginTransaction(
    connection: DatabaseConnection,
    { accessMode }: TransactionSettings = {},
  ): Promise<void> {
    const begin = accessMode === 'read only' ? 'begin' : 'begin immediate'
    await connection.executeQuery(CompiledQuery.raw(begin))
  }

  /** SQLite rolls back by itself after some errors, such as a full disk; a second time would hide which it was. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection)
  }
}

/** How many statements stay prepared: more than Hallpass has, so that only texts made up as needed are dropped. */
const preparedStatements = 256

/** `node:sqlite` in the shape that Kysely expects, which is better-sqlite3's. Statements stay prepared. */
function adapt(database: DatabaseSync): SqliteDatabase {
  const prepared = new Map<string, SqliteStatement>()
  return {
    prepare(sql) {
      const known = prepared.get(sql)
      if (known !== undefined) {
        // Moved to the end, so that the one at the front is the one not used for longest.
        prepared.delete(sql)
        prepared.set(sql, known)
        return known
      }
      const statement = prepare(database, sql)
      prepared.set(sql, statement)
      const [oldest] = prepared.size > preparedStatements ? prepared.keys() : []
      if (oldest !== undefined) prepared.delete(oldest)
      return statement
    },
    close() {
      prepared.clear()
      if (database.isOpen) database.close()
    },
  }
}

function prepare(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = database.prepare(sql)
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...bound(parameters)),
    run: (parameters) => statement.run(...bound(parameters)),
    // A statement that is being stepped through cannot run a second time meanwhile, so each walk gets its own.
    iterate: (parameters) => database.prepare(sql).iterate(...bound(parameters)),
  }
}

/** `node:sqlite` itself refuses, with a TypeError, a value that cannot be bound. */
function bound(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters as SQLInputValue[]
}
