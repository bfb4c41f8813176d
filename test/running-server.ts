/** The real server and the real command, as processes, for tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newTestData } from './test-database.ts'

/** The command, as `npx hallpass` runs it. */
export const hallpassCommand: string = fileURLToPath(new URL('../bin/hallpass.js', import.meta.url))

/** Longest that a server may take to answer, or to end, in milliseconds. The machine may be busy with other tests. */
const patienceMs = 20_000

export interface ServerOptions {
  /** Added to the environment of the process; the bootstrap variables are set already. */
  readonly env?: Readonly<Record<string, string>>
  /** Flags of `hallpass serve`, such as `--no-forum`. */
  readonly flags?: readonly string[]
  /** The data folder. A fresh one, removed at the end, by default. */
  readonly dataDir?: string
  /** A free one by default. */
  readonly port?: number
}

export interface RunningServer {
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly port: number
  /** Of the process. */
  readonly pid: number
  readonly dataDir: string
  readonly adminUsername: string
  readonly adminPassword: string
  /** An administrator’s API key for all users, 64 hexadecimal characters. */
  readonly adminApiKey: string
  /** All that the process has printed so far. */
  output(): string
  /** Ends the process as an operator does (SIGTERM), and removes the data folder if it was made here. */
  stop(): Promise<void>
  /** Ends the process as a power failure does (SIGKILL). The data folder stays. */
  kill9(): Promise<void>
}

/** Starts `hallpass serve` on a free port of the loopback interface and waits until it answers. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  if (options.port !== undefined) return startOn(options.port, options)
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOn(await freePort(), options)
    } catch (error) {
      // Somebody else took the port in between: an outgoing connection, or another test.
      if (attempt === 5 || !String(error).includes('cannot_listen')) throw error
    }
  }
}

async function startOn(port: number, options: ServerOptions): Promise<RunningServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'hallpass-data-')))
  const admin = {
    adminUsername: 'admin',
    adminPassword: randomBytes(12).toString('base64url'),
    adminApiKey: randomBytes(32).toString('hex'),
  }
  const baseUrl = `http://localhost:${port}`
  const child = spawn(process.execPath, [hallpassCommand, 'serve', ...(options.flags ?? [])], {
    env: {
      ...process.env,
      HALLPASS_HOST: '127.0.0.1',
      HALLPASS_PORT: String(port),
      ...(await newTestData(dataDir)).env,
      HALLPASS_ADMIN_USERNAME: admin.adminUsername,
      HALLPASS_ADMIN_PASSWORD: admin.adminPassword,
      HALLPASS_ADMIN_API_KEY: admin.adminApiKey,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const killWithUs = (): boolean => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const output = collectOutput(child)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    process.off('exit', killWithUs)
    child.kill(signal)
    await within(patienceMs, ended, () => `the server did not end after ${signal}:\n${output()}`)
  }
  const server: RunningServer = {
    baseUrl,
    port,
    pid: child.pid ?? 0,
    dataDir,
    ...admin,
    output,
    async stop() {
      await end('SIGTERM')
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    },
    kill9: () => end('SIGKILL'),
  }
  try {
    await untilHealthy(baseUrl, child, output)
    await makeRoom(server)
  } catch (error) {
    killWithUs()
    throw error
  }
  return server
}

/**
 * Raises the limits of addresses and keys, as an administrator does: all tests come from one address, and those of a file
 * within seconds. A limit that a test is about is set by that test.
 */
async function makeRoom({ baseUrl, adminApiKey }: RunningServer): Promise<void> {
  const headers = { 'api-key': adminApiKey, 'api-username': 'admin' }
  for (const name of [
    'max_reqs_per_ip_per_10_seconds',
    'max_reqs_per_ip_per_minute',
    'max_user_api_reqs_per_minute',
    'max_admin_api_reqs_per_minute',
  ]) {
    const body = new URLSearchParams({ [name]: '100000' })
    const url = `${baseUrl}/admin/site_settings/${name}.json`
    const answer = await fetch(url, { method: 'PUT', headers, body })
    await answer.body?.cancel()
    // A data folder from an earlier server has an administrator’s key of its own, and the limits raised already.
    if (answer.status !== 200 && answer.status !== 403) throw new Error(`${name}: ${answer.status}`)
  }
}

/** A port that nothing listens on. Another process could take it first, so whoever listens there must try again. */
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

async function untilHealthy(baseUrl: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    if (child.exitCode !== null) {
      throw new Error(`the server ended with status ${child.exitCode}:\n${output()}`)
    }
    const answer = await fetch(`${baseUrl}/healthz`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return
    if (Date.now() > deadline) {
      throw new Error(`the server did not answer within ${patienceMs} ms:\n${output()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

function collectOutput(child: ChildProcess): () => string {
  let text = ''
  const take = (chunk: Buffer): void => {
    text += chunk.toString()
  }
  child.stdout?.on('data', take)
  child.stderr?.on('data', take)
  return () => text
}

/** Waits for something with a bound; `complaint` says what did not happen. */
async function within<Value>(ms: number, promise: Promise<Value>, complaint: () => string): Promise<Value> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(complaint())), ms)
  try {
    return await Promise.race([promise, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
