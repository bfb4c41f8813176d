import {
  type ColumnDefinitionNode,
  DataTypeNode,
  type KyselyPlugin,
  OperationNodeTransformer,
  RawNode,
  sql,
} from 'kysely'
import type { SchemaDialect } from '../database.ts'
import { withoutTimeouts } from './pool.ts'

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
