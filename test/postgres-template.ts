/** What databases of tests are copied from, and statements on a server. */
import pg from 'pg'
import { openPostgresStore } from '../src/storage/open-store.ts'

/** The name of the database that others are copies of. */
export const template: string = 'hallpass_template'

/** Makes the database that others are copies of, which is quicker than to make its tables each time. */
export async function makeTemplate(serverUrl: string): Promise<void> {
  await onServer(serverUrl, `create database ${template} template template0`)
  await (await openPostgresStore({ url: databaseUrl(serverUrl, template) })).close()
}

/** The address of another database on a server. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Runs a statement on a connection of its own. */
export async function onServer<Row extends pg.QueryResultRow>(
  url: string,
  statement: string,
): Promise<Row[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query<Row>(statement)).rows
  } finally {
    await client.end()
  }
}
