/** `hallpass migrate`: brings a database up to date, or says what that would do. */
import type { Command } from 'commander'
import type { Database } from '../storage/database.ts'
import type { Migration, MigrationList } from '../storage/migrate.ts'
import { configOption, configOptionHelp, loadConfig } from './load-config.ts'
import {
  type DataFlags,
  databaseOption,
  databaseOptionHelp,
  dataOption,
  dataOptionHelp,
  openExisting,
} from './open-data.ts'
import { commandName, note, say } from './terminal.ts'

/** Adds `migrate` to the program. */
export function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .summary('bring the database up to date, or see what that would do')
    .description(
      'Changes of the tables come in steps of two kinds. Steps that expand only add, so that servers of the version before go on; a server does them by itself when it starts. Steps that contract take away what an older version uses, and are done only here, with --contract, once no older server runs.',
    )
    .option('--plan', 'print what would be done, and do nothing')
    .option('--contract', 'do the steps that contract too')
    .option(dataOption, dataOptionHelp)
    .option(databaseOption, databaseOptionHelp)
    .option(configOption, configOptionHelp)
    .addHelpText(
      'after',
      `
examples:
  hallpass migrate --plan
  hallpass migrate --database postgres://hallpass@db.internal/hallpass
  hallpass migrate --contract        once no server of an older version runs`,
    )
    .action(migrateOrPlan)
}

interface MigrateFlags extends DataFlags {
  readonly plan?: boolean
  readonly contract?: boolean
  readonly config?: string
}

async function migrateOrPlan(flags: MigrateFlags): Promise<void> {
  const contract = flags.contract ?? false
  const config = await loadConfig(flags.config)
  const { migrationLists } = await import('./migration-lists.ts')
  await openExisting(flags, config, async (database) => {
    note(`database ${database.location}`)
    let waiting = 0
    for (const [index, list] of migrationLists.entries()) {
      waiting += await oneList(database, list, { ...flags, contract, isOptional: index > 0 })
    }
    if (waiting > 0 && !contract) {
      note(
        `steps that contract wait: once no server of an older version runs, ${commandName()} migrate --contract`,
      )
    }
  })
}

/** Answers with how many steps are left that contract. */
async function oneList(
  database: Database,
  list: MigrationList,
  { plan, contract, isOptional }: MigrateFlags & { readonly contract: boolean; readonly isOptional: boolean },
): Promise<number> {
  const { migrate, planMigrations } = await import('../storage/migrate.ts')
  const { isNew, pending, newer } = await planMigrations(database, list)
  // A server with the forum makes its tables when it starts; who has none need not get them.
  if (isOptional && isNew) return 0
  for (const { name, since } of newer) say(`${list.name}: ${name} was done by a newer version (${since})`)
  const wanted = pending.filter(({ kind }) => isNew || contract || kind === 'expand')
  if (plan) for (const step of pending) say(`${list.name}: ${describe(step, wanted.includes(step))}`)
  else for (const step of await migrate(database, list, { contract })) say(`${list.name}: done: ${step.name}`)
  if (pending.length === 0) say(`${list.name}: up to date`)
  return isNew || contract ? 0 : pending.filter(({ kind }) => kind === 'contract').length
}

function describe({ name, kind, since, blocks = [] }: Migration, isWanted: boolean): string {
  const when = isWanted ? 'would be done' : 'waits for --contract'
  const locks =
    blocks.length === 0
      ? 'no lock is held for long'
      : `nobody can write to ${blocks.join(', ')} while it runs, the longer the more rows there are`
  return `${name} (${kind}, ${since}): ${when}; ${locks}`
}
