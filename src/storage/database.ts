import type { CreateTableBuilder, Kysely } from 'kysely'
import type { CacheChange } from '../domain/changes.ts'
import type { ChangeListener, Store } from '../domain/store.ts'

/**
 * An open database. Hallpass's store is made on it with `createStore`; an application in the same process may keep
 * tables of its own beside Hallpass's: it migrates them with `migrate` under a name of its own, sees them through
 * `tables<ItsTables>()`, and gives their names a prefix.
 */
export interface Database {
  /**
   * Runs queries on the tables that the caller says there are; the handle is the same each time. There may be one
   * connection only, so a query asked for outside a running transaction waits until that is over: begin transactions
   * with `inTransaction`, which refuses a query that would wait for the transaction it is part of.
   */
  tables<Tables>(): Kysely<Tables>
  /** How this database says what databases say differently. */
  readonly schema: SchemaDialect
  /** Which database it is, for messages: a path or an address, without a password. */
  readonly location: string
  /**
   * Tells of what other connections commit, until it is stopped by what it answers with, or the database is closed.
   * Resolves when it hears, or has told that it cannot.
   */
  watch(listener: ChangeListener): Promise<() => Promise<void>>
  /** Part of the transaction `db`: those who watch hear of it once it is committed, and of `changes` where that is possible. */
  announce(db: Kysely<unknown>, changes: readonly CacheChange[]): Promise<void>
  /** Says how long a query may take, as {@link Store.giveUpAfter}; absent where the database cannot be out of reach. */
  giveUpAfter?(timeoutMs: () => number): void
  /**
   * What an error of this database means to whoever opens or runs it: a HallpassError that says how to mend it, or the
   * error as it is.
   */
  explain(error: unknown): unknown
  /** Waits for the transactions that were asked for, then closes. Closing twice does nothing. */
  close(): Promise<void>
}

/** The parts of a migration that databases differ in. All else in a migration is written once. */
export interface SchemaDialect {
  /** Adds a primary key `id` that counts 1, 2, 3, … and never gives a number twice. */
  withId<Table extends string, Column extends string>(
    table: CreateTableBuilder<Table, Column>,
  ): CreateTableBuilder<Table, Column | 'id'>
  /** Keeps a table's rows in the order of its primary key, where the database can, so that a look-up reads once. */
  clustered<Table extends string, Column extends string>(
    table: CreateTableBuilder<Table, Column>,
  ): CreateTableBuilder<Table, Column>
  /** The last number that `withId` has given in `table`; 0 before the first. */
  lastId(db: Kysely<unknown>, table: string): Promise<number>
  /** Lets `withId` go on after `id` in `table`; 0 for a table that has given none. */
  setLastId(db: Kysely<unknown>, table: string, id: number): Promise<void>
  /** A text as this database keeps it. */
  kept(text: string): string
  /** The type of a primary key that counts beyond 32 bits. */
  readonly longInteger: 'integer' | 'bigint'
  /** Prepares a transaction for migrations, which may take long; answers with the handle that they are to use. */
  prepare(db: Kysely<unknown>): Promise<Kysely<unknown>>
  /** Makes the database itself refuse to change or delete rows of `table`. */
  makeAppendOnly(db: Kysely<unknown>, table: string): Promise<void>
}
