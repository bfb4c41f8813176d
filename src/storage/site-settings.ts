import type { Kysely } from 'kysely'
import type { StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'

/** The settings that were changed from their default: `site_settings`. */
export function createSiteSettings(db: Kysely<HallpassTables>): StoreSession['settings'] {
  return {
    async all() {
      const rows = await db.selectFrom('site_settings').selectAll().orderBy('name').execute()
      return rows.map((row) => ({ name: row.name, value: row.value, updatedAt: row.updated_at }))
    },

    async put({ name, value, updatedAt }) {
      await db
        .insertInto('site_settings')
        .values({ name, value, updated_at: updatedAt })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value, updated_at: updatedAt }))
        .execute()
    },
  }
}
