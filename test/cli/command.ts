/** The command as a process of its own, for transcripts: what was typed, what it printed, how it ended. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CommandOutcome, type RunningCommand, startCommand } from '../running-command.ts'

export interface Typist {
  /** The file that the command keeps keys in. */
  readonly credentialPath: string
  /** Runs a command to its end, with `input` as the whole of its stdin. */
  run(options: readonly string[], input?: string): Promise<CommandOutcome>
  /** Starts a command whose stdin stays open. */
  start(...options: readonly string[]): RunningCommand
  /** Signs in to a site; `approve` does what the user does in the browser with the printed address. */
  login(options: readonly string[], approve: (url: string) => Promise<unknown>): Promise<CommandOutcome>
  leave(): Promise<void>
}

/** Somebody with an empty home folder and no display. */
export async function newTypist(): Promise<Typist> {
  const home = await mkdtemp(join(tmpdir(), 'hallpass-typist-'))
  const configuration = join(home, 'configuration')
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: home,
    XDG_CONFIG_HOME: configuration,
    APPDATA: configuration,
    NO_COLOR: '1',
  }
  const start = (...options: readonly string[]): RunningCommand =>
    startCommand(process.execPath, [hallpassCommand, ...options], env)
  return {
    credentialPath: join(configuration, 'hallpass', 'credentials.json'),
    start,
    run: (options, input = '') => runToEnd(options, input, env),
    async login(options, approve) {
      const running = start('login', ...options, '--no-browser')
      const [url] = await running.printed(addressPattern)
      await approve(url)
      return running.ended
    },
    leave: () => rm(home, { recursive: true, force: true }),
  }
}

const hallpassCommand = fileURLToPath(new URL('../../bin/hallpass.js', import.meta.url))

const addressPattern = /http:\/\/\S+\/user-api-key\/new\?\S+/

function runToEnd(
  options: readonly string[],
  input: string,
  env: NodeJS.ProcessEnv,
): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [hallpassCommand, ...options], { env, timeout: 60_000 })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr }))
    child.stdin.end(input)
  })
}
