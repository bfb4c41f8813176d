/** `hallpass serve` as a process, and what a benchmark needs to talk to it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, type Role, startChild } from './children.ts'
import { ask } from './contestant.ts'

/** Longest that a server may take to answer, in milliseconds. A store of ten million keys may have to be migrated. */
const patienceMs = 120_000

export interface HallpassOptions {
  /** Folder of its database. Default: a fresh one. */
  readonly data?: string
  /** Of a PostgreSQL database, in the place of `data`. */
  readonly databaseUrl?: string
  /** Flags beside `--no-forum`. */
  readonly flags?: readonly string[]
  /** Settings that are pinned. Default: no limit counts. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** The application behind the gateway. Default: none. */
  readonly upstream?: string
  /** Default `measured`. */
  readonly role?: Role
}

export interface RunningHallpass {
  /** Without a trailing slash. */
  readonly url: string
  readonly child: Child
  stop(): Promise<void>
}

/** The command, as a clone of the repository has it. */
export const hallpassCommand: string = new URL('../../bin/hallpass.js', import.meta.url).pathname

/** Starts `hallpass serve` on a free port and waits until it answers. */
export async function startHallpass(options: HallpassOptions = {}): Promise<RunningHallpass> {
  const { settings = { disable_rate_limits: true }, role = 'measured' } = options
  if (options.databaseUrl !== undefined && !help().includes('DATABASE_URL')) {
    throw new Error('this hallpass serve takes no DATABASE_URL')
  }
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-'))
  const config = join(folder, 'hallpass.config.json')
  writeFileSync(config, JSON.stringify({ trustedProxies: ['127.0.0.1'], settings }))
  const port = await freePort()
  const child = startChild(
    process.execPath,
    [
      hallpassCommand,
      'serve',
      ...(options.upstream === undefined ? ['--no-forum'] : ['--upstream', options.upstream]),
      ...(options.databaseUrl === undefined ? ['--data', options.data ?? join(folder, 'data')] : []),
      '--config',
      config,
      '--port',
      String(port),
      ...(options.flags ?? []),
    ],
    {
      role,
      env: {
        HALLPASS_ADMIN_PASSWORD: 'a password of a benchmark',
        ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
      },
    },
  )
  const url = `http://127.0.0.1:${port}`
  await untilHealthy(url, child)
  return {
    url,
    child,
    async stop() {
      await child.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What `hallpass serve --help` says. */
export function help(): string {
  return spawnSync(process.execPath, [hallpassCommand, 'serve', '--help'], { encoding: 'utf8' }).stdout
}

/** A port of the loopback interface that nothing listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'))
        else resolve(address.port)
      })
    })
  })
}

async function untilHealthy(url: string, child: Child): Promise<void> {
  const deadline = performance.now() + patienceMs
  let over = false
  child.ended.then(
    () => {
      over = true
    },
    () => {
      over = true
    },
  )
  for (;;) {
    if (over) throw new Error(`hallpass serve ended:\n${child.output()}`)
    const answer = await ask(`${url}/healthz`).catch(() => undefined)
    if (answer?.status === 200) return
    if (performance.now() > deadline) throw new Error(`hallpass serve does not answer:\n${child.output()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
