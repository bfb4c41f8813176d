/** A real Redis, as a process of its own that keeps nothing on disk, for tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { findInstalled, type Installed } from './interop/installed.ts'
import { freePort } from './running-server.ts'

/** Longest that it may take to start or to end, in milliseconds. */
const patienceMs = 20_000

/** `skip` says which Debian package is missing; false where it is there. */
export const redisServer: Installed = findInstalled(
  ['/usr/bin/redis-server', 'redis-server'],
  ['--version'],
  'redis-server',
)

export interface RunningRedis {
  readonly url: string
  /** Ends it as a power failure does. */
  kill(): Promise<void>
  /** Starts it again on the same port, empty. */
  start(): Promise<void>
  /** Stops its process from running, without ending it; its connections stay. */
  freeze(): void
  thaw(): void
}

/** Starts Redis on a free port of the loopback interface; it is ended when the test is over. */
export async function startRedis(t: Pick<TestContext, 'after'>): Promise<RunningRedis> {
  const port = await freePort()
  let child: ChildProcess | undefined
  const killWithUs = (): void => void child?.kill('SIGKILL')
  process.once('exit', killWithUs)
  const start = async (): Promise<void> => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    child = spawn(redisServer.program, options, { stdio: 'ignore', cwd: '/' })
    const deadline = Date.now() + patienceMs
    while (!(await accepts(port))) {
      if (Date.now() > deadline) throw new Error('redis-server does not answer')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const kill = async (): Promise<void> => {
    const running = child
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGKILL')
    await ended
  }
  t.after(async () => {
    await kill()
    process.off('exit', killWithUs)
  })
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
