/** The real `npx hallpass …` of this repository, as a process, for tests. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Longest that a command may take, in milliseconds, the user’s approval included. */
const patienceMs = 60_000

/** What a command that has ended leaves behind. */
export interface CommandOutcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCommand {
  /** Resolves to the first match in what the command has printed on either stream; rejects if it ends without. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  /** Writes to its stdin. */
  write(text: string): void
  /** Says that nothing more will be written, as ctrl-d does. */
  endInput(): void
  readonly ended: Promise<CommandOutcome>
  /** Ends it, for programs that run until they are told to. */
  stop(): void
}

/** A user of the command, with a home folder of their own, so that keys of tests and of people never meet. */
export interface CommandUser {
  start(...options: readonly string[]): RunningCommand
  run(...options: readonly string[]): Promise<CommandOutcome>
  /** Removes the home folder. */
  leave(): Promise<void>
}

export async function newCommandUser(): Promise<CommandUser> {
  const home = await mkdtemp(join(tmpdir(), 'hallpass-home-'))
  const env = {
    ...process.env,
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    APPDATA: join(home, 'AppData'),
    NO_COLOR: '1',
  }
  // `--no`: npx must find the command here, and never ask a registry for a package of that name.
  const start = (...options: readonly string[]): RunningCommand =>
    startCommand('npx', ['--no', 'hallpass', ...options], env)
  return {
    start,
    run: (...options) => start(...options).ended,
    leave: () => rm(home, { recursive: true, force: true }),
  }
}

/** Starts any program of this repository’s tests, in the repository’s folder; it is ended when it takes too long. */
export function startCommand(
  program: string,
  options: readonly string[],
  env: NodeJS.ProcessEnv,
): RunningCommand {
  const child = spawn(program, options, { cwd: root, env, stdio: ['pipe', 'pipe', 'pipe'] })
  const killWithUs = (): boolean => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const timer = setTimeout(killWithUs, patienceMs)
  let stdout = ''
  let stderr = ''
  const watchers = new Set<() => void>()
  const tell = (): void => {
    for (const look of watchers) look()
  }
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    tell()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    tell()
  })
  const ended = new Promise<CommandOutcome>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      clearTimeout(timer)
      process.off('exit', killWithUs)
      resolve({ status, stdout, stderr })
    })
  })
  const said = (): string => `${stdout}\n${stderr}`
  return {
    ended,
    write: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    stop: () => void child.kill(),
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(said())
          if (match === null) return
          watchers.delete(look)
          resolve(match)
        }
        watchers.add(look)
        look()
        ended.then(
          () => reject(new Error(`${program} ended without printing ${pattern}:\n${said()}`)),
          reject,
        )
      }),
  }
}
