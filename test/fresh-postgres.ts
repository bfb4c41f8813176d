/** Databases for tests on one PostgreSQL server: that of the run, or one for a file that runs alone. */
import { randomBytes } from 'node:crypto'
import { after } from 'node:test'
import { databaseUrl, makeTemplate, onServer, template } from './postgres-template.ts'
import { type RunningPostgres, sharedServerVariable, startPostgres } from './running-postgres.ts'

let shared: Promise<string> | undefined
let own: RunningPostgres | undefined

// Here, and not where it is started: that may be in a test, and it would be stopped with that.
after(() => own?.stop())

/** The address of the run's server, or of one that is started for this file and stopped when its tests are over. */
export function sharedPostgres(): Promise<string> {
  shared ??= startShared()
  return shared
}

async function startShared(): Promise<string> {
  const given = process.env[sharedServerVariable]
  if (given) return given
  own = await startPostgres()
  await makeTemplate(own.url)
  return own.url
}

/**
 * Makes a fresh database on the shared server, with Hallpass's tables, or with none at all when `empty` is true.
 * Answers with its address. It goes with the server.
 */
export async function freshPostgresUrl(options: { readonly empty?: boolean } = {}): Promise<string> {
  const url = await sharedPostgres()
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`
  const source = options.empty ? 'template0' : template
  await onServer(url, `create database ${name} template ${source} strategy file_copy`)
  return databaseUrl(url, name)
}
