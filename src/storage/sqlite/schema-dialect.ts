import { sql } from 'kysely'
import type { SchemaDialect } from '../database.ts'

/** SQLite's part in migrations. */
export const sqliteSchema: SchemaDialect = {
  // `autoincrement`, because without it SQLite gives the number of the last row again once that is deleted.
  withId: (table) => table.addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement()),

  clustered: (table) => table.modifyEnd(sql`without rowid`),

  // Has 64 bits, and under this name alone is the number of the row itself.
  longInteger: 'integer',

  async prepare(db) {
    // Files from before there was PostgreSQL do not say of what kind a step was. All were of this one.
    const { rows } = await sql<{
      name: string
    }>`select name from pragma_table_info('schema_migrations')`.execute(db)
    if (rows.length > 0 && !rows.some(({ name }) => name === 'kind'))
      await sql`alter table schema_migrations add column kind text not null default 'expand'`.execute(db)
    return db
  },

  async lastId(db, table) {
    const { rows } = await sql<{
      seq: number
    }>`select seq from sqlite_sequence where name = ${table}`.execute(db)
    return rows[0]?.seq ?? 0
  },

  async setLastId(db, table, id) {
    await sql`delete from sqlite_sequence where name = ${table}`.execute(db)
    if (id > 0) await sql`insert into sqlite_sequence (name, seq) values (${table}, ${id})`.execute(db)
  },

  kept: (text) => text,

  async makeAppendOnly(db, table) {
    for (const change of ['update', 'delete']) {
      await sql`
        create trigger ${sql.id(`${table}_refuse_${change}`)} before ${sql.raw(change)} on ${sql.table(table)}
        begin select raise(abort, ${sql.lit(`${table} is append-only`)}); end
      `.execute(db)
    }
  },
}
