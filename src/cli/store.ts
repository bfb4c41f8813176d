/** `hallpass store copy`: moves a server's data into another database. */
import { existsSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { HallpassError } from '../protocol/errors.ts'
import type { CopyProgress } from '../storage/copy-store.ts'
import type { Database } from '../storage/database.ts'
import { isPostgresUrl } from '../storage/postgres/address.ts'
import { databasePath } from './open-data.ts'
import { note, say } from './terminal.ts'

/** Adds `store` to the program. */
export function registerStore(program: Command): void {
  const store = program
    .command('store')
    .summary('move the data into another database')
    .description('Works on the databases of servers.')
    .addHelpText(
      'after',
      `
examples:
  hallpass store copy --from /var/lib/hallpass --to postgres://hallpass@db.internal/hallpass`,
    )
  store
    .command('copy')
    .summary('copy all data into an empty database')
    .description(
      'Copies all of Hallpass’s tables, and the forum’s, into an empty database: from SQLite to PostgreSQL, or back. Ids stay, keys go on working, the audit log stays whole. All is read back and compared before the copy counts; when anything fails, the target has nothing of it.\n\nThe source may be in use: it is copied as it was when copying began. What is written to it afterwards is not in the copy, so stop the server before the last copy, and start it on the target.',
    )
    .requiredOption('--from <folder-or-url>', 'data folder, SQLite file, or postgres:// address to copy from')
    .requiredOption('--to <folder-or-url>', 'the same, to copy into; must hold no data')
    .addHelpText(
      'after',
      `
A password is better off in PGPASSWORD than in an address on the command line.

examples:
  hallpass store copy --from ./data --to postgres://hallpass@db.internal/hallpass
  hallpass store copy --from postgres://hallpass@db.internal/hallpass --to ./back`,
    )
    .action(copy)
}

async function copy({ from, to }: { readonly from: string; readonly to: string }): Promise<void> {
  const { copyStore } = await import('../storage/copy-store.ts')
  const { migrationLists } = await import('./migration-lists.ts')
  if (!isPostgresUrl(from) && !existsSync(fileOf(from))) {
    throw new HallpassError(
      'data_not_found',
      `there is no database at ${fileOf(from)}`,
      'name the folder that the server keeps its data in, its SQLite file, or a postgres:// address',
    )
  }
  const source = await open(from)
  try {
    const target = await open(to)
    try {
      const { tables, changedTexts } = await copyStore(source, target, {
        lists: migrationLists,
        onProgress: progress(),
      })
      for (const { name, rows, checksum } of tables) {
        if (rows > 0) say(`${name}: ${rows} rows, sha256 ${checksum.slice(0, 16)}`)
      }
      const rows = tables.reduce((sum, table) => sum + table.rows, 0)
      say(`copied ${rows} rows of ${tables.length} tables from ${source.location} to ${target.location}`)
      say('every row was read back, and is what the source holds')
      if (changedTexts > 0) {
        note(`in ${changedTexts} texts the character NUL became U+FFFD, because PostgreSQL cannot keep it`)
      }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function open(place: string): Promise<Database> {
  if (isPostgresUrl(place)) {
    const { openPostgres } = await import('../storage/postgres/open-postgres.ts')
    return openPostgres({ url: place })
  }
  const { openSqlite } = await import('../storage/sqlite/open-sqlite.ts')
  return openSqlite({ path: fileOf(place) })
}

/** A file that is there, or one with a name like that, is the database itself; all else is a data folder. */
function fileOf(place: string): string {
  const isFile = existsSync(place) ? statSync(place).isFile() : /\.(sqlite3?|db)$/.test(place)
  return isFile ? place : databasePath(place)
}

const barWidth = 30

/** A bar that moves, on a terminal; elsewhere a line for each table. */
function progress(): (progress: CopyProgress) => void {
  const { stderr } = process
  if (!stderr.isTTY) {
    let said = ''
    return ({ table, done, total, step }) => {
      if (table === said || step === 'verifying' || done < total) return
      said = table
      note(`${table}: ${total} rows`)
    }
  }
  let drawnAt = 0
  return ({ table, done, total, step }) => {
    const isLast = done >= total
    if (!isLast && Date.now() - drawnAt < 100) return
    drawnAt = Date.now()
    const filled = Math.min(barWidth, Math.round((barWidth * done) / Math.max(total, 1)))
    const bar = `${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}`
    stderr.write(`\r\u001b[K${step.padEnd(9)} [${bar}] ${table} ${done}/${total}`)
    if (isLast && step === 'verifying') stderr.write('\r\u001b[K')
  }
}
