import {
  type ColumnDefinitionNode,
  DataTypeNode,
  type Kysely,
  type KyselyPlugin,
  OperationNodeTransformer,
  RawNode,
  sql,
} from 'kysely'
import type { SchemaDialect } from '../database.ts'
import { storable, withoutTimeouts } from './pool.ts'

/** PostgreSQL's part in migrations. */
export const postgresSchema: SchemaDialect = {
  // `by default`, so that rows can be brought from another database with their numbers.
  withId: (table) =>
    table.addColumn('id', 'bigint', (column) => column.generatedByDefaultAsIdentity().primaryKey()),

  // A table of PostgreSQL has no order.
  clustered: (table) => table,

  longInteger: 'bigint',

  async prepare(db) {
    await sql.raw(withoutTimeouts).execute(db)
    return db.withPlugin(binaryTexts)
  },

  async lastId(db, table) {
    const name = await sequenceOf(db, table)
    const { rows } = await sql<{ last: number }>`
      select case when is_called then last_value else 0 end as last from ${sql.raw(name)}
    `.execute(db)
    return rows[0]?.last ?? 0
  },

  async setLastId(db, table, id) {
    const name = await sequenceOf(db, table)
    await sql`select setval(${name}, ${Math.max(id, 1)}, ${id > 0})`.execute(db)
  },

  kept: (text) => String(storable(text)),

  async makeAppendOnly(db, table) {
    const refuse = sql.id(`${table}_refuse`)
    await sql`
      create function ${refuse}() returns trigger language plpgsql as $$
      begin
        raise exception ${sql.raw(`'${table} is append-only'`)};
      end
      $$
    `.execute(db)
    for (const [change, each] of [
      ['update', 'row'],
      ['delete', 'row'],
      ['truncate', 'statement'],
    ] as const) {
      await sql`
        create trigger ${sql.id(`${table}_refuse_${change}`)} before ${sql.raw(change)} on ${sql.table(table)}
        for each ${sql.raw(each)} execute function ${refuse}()
      `.execute(db)
    }
  },
}

/** As PostgreSQL writes it: quoted where it must be. */
async function sequenceOf(db: Kysely<unknown>, table: string): Promise<string> {
  const { rows } = await sql<{
    name: string | null
  }>`select pg_get_serial_sequence(${table}, 'id') as name`.execute(db)
  const name = rows[0]?.name
  if (typeof name !== 'string') throw new Error(`${table} has no counting id`)
  return name
}

/** Texts are compared byte by byte, as SQLite does, whatever language the database was made for. */
class BinaryTexts extends OperationNodeTransformer {
  protected override transformColumnDefinition(node: ColumnDefinitionNode): ColumnDefinitionNode {
    const { dataType, ...rest } = super.transformColumnDefinition(node)
    const isText = DataTypeNode.is(dataType) && dataType.dataType === 'text'
    return { ...rest, dataType: isText ? RawNode.createWithSql('text collate "C"') : dataType }
  }
}

const transformer = new BinaryTexts()

const binaryTexts: KyselyPlugin = {
  transformQuery: ({ node, queryId }) => transformer.transformNode(node, queryId),
  transformResult: async ({ result }) => result,
}
