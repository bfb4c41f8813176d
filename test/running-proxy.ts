/** The proxies of examples/proxies, as processes, for tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findInstalled, type Installed, plainEnvironment } from './interop/installed.ts'
import { freePort } from './running-server.ts'

const folder = fileURLToPath(new URL('../examples/proxies/', import.meta.url))

/** What the applications behind the proxies are written in. */
export const python: Installed = findInstalled(['/usr/bin/python3', 'python3'], ['--version'], 'python3')

/** A proxy that this machine may have, and its configuration. */
export interface ProxyProgram {
  readonly name: string
  /** The files with addresses in them; the first is the one that the program is given. */
  readonly files: readonly [string, ...string[]]
  readonly program: string
  /** Why its tests are skipped; false where it is installed. */
  readonly skip: string | false
  readonly options: (folder: string) => readonly string[]
}

export const proxies: readonly ProxyProgram[] = [
  {
    name: 'nginx',
    files: ['nginx.conf', 'hallpass-routes.inc'],
    ...findInstalled(['/usr/sbin/nginx', 'nginx'], ['-v'], 'nginx-light'),
    options: (folder) => ['-e', 'stderr', '-p', folder, '-c', 'nginx.conf'],
  },
  {
    name: 'Caddy',
    files: ['Caddyfile'],
    ...findInstalled(['/usr/bin/caddy', 'caddy'], ['version'], 'caddy'),
    options: () => ['run', '--config', 'Caddyfile', '--adapter', 'caddyfile'],
  },
  {
    name: 'HAProxy',
    files: ['haproxy.cfg', 'forward-auth.lua'],
    ...findInstalled(['/usr/sbin/haproxy', 'haproxy'], ['-v'], 'haproxy'),
    options: () => ['-f', 'haproxy.cfg'],
  },
]

export interface ProxyPorts {
  readonly hallpassPort: number
  readonly appPort: number
  /** What the proxy listens on. A free one by default. */
  readonly port?: number
}

export interface RunningProxy {
  readonly port: number
  /** Ends it and removes its copy of the configuration. */
  stop(): Promise<void>
}

/** Starts a proxy with its configuration, in which the ports are those of this run. */
export async function startProxy(
  { files, program, options }: ProxyProgram,
  { hallpassPort, appPort, port: wanted }: ProxyPorts,
): Promise<RunningProxy> {
  const port = wanted ?? (await freePort())
  const temporary = await mkdtemp(join(tmpdir(), 'hallpass-proxy-'))
  // Workers of nginx are another user.
  await chmod(temporary, 0o755)
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8')
    const here = text
      .replaceAll(/\b8080\b/g, String(port))
      .replaceAll('127.0.0.1:4000', `127.0.0.1:${hallpassPort}`)
      .replaceAll('127.0.0.1:3000', `127.0.0.1:${appPort}`)
    await writeFile(join(temporary, file), here)
  }
  const child = await startListening(program, options(temporary), temporary, port)
  return {
    port,
    async stop() {
      await stop(child)
      await rm(temporary, { recursive: true, force: true })
    },
  }
}

/** Starts a program and waits until its port takes connections. */
export async function startListening(
  program: string,
  options: readonly string[],
  cwd: string,
  port: number,
): Promise<ChildProcess> {
  const env = { ...plainEnvironment(), HOME: cwd }
  const child = spawn(program, options, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  process.once('exit', () => child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk))
  const deadline = Date.now() + 20_000
  while (!(await isListening(port))) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`${program} does not listen:\n${said}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return child
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Ends a program and waits until it has; nothing for one that never began. */
export async function stop(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await ended
  clearTimeout(timer)
}
