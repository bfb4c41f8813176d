import { forumMigrations } from '../forum/migrations.ts'
import type { MigrationList } from '../storage/migrate.ts'
import { hallpassMigrations } from '../storage/migrations/hallpass-migrations.ts'

/** Whose tables a server can have: Hallpass's own first, and those of the forum where it is the site. */
export const migrationLists: readonly MigrationList[] = [
  { name: 'hallpass', migrations: hallpassMigrations },
  { name: 'forum', migrations: forumMigrations },
]
