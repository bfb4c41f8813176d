/**
 * The processes of a run: what is measured, what measures, and what stands behind. Each is pinned to a processor, all
 * contestants to the same one, and none outlives the run.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'

/** Longest that a server may take to be ready, or to end, in milliseconds. */
const patienceMs = 60_000

/** What a process is in a measurement. `free`: it runs wherever the system puts it. */
export type Role = 'measured' | 'load' | 'behind' | 'free'

/** A process of this run. */
export interface Child {
  readonly pid: number
  /** All that it has printed so far, on either stream. */
  output(): string
  /** The first line it prints that begins with `word`, without the word. Rejects when it ends without. */
  line(word: string): Promise<string>
  /** Resolves to its exit status. */
  readonly ended: Promise<number | null>
  /** Sends SIGTERM, and SIGKILL when that does not end it. */
  stop(): Promise<void>
}

export interface ChildOptions {
  readonly role: Role
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

const cores = availableParallelism()
const canPin = cores > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0

/** How processes are spread over the processors, in a sentence. */
export function pinning(): string {
  if (!canPin) return 'nothing is pinned to a processor'
  const behind = cores > 2 ? `${processorsOf('behind')}` : '1 too'
  return `with taskset what is measured runs on processor 0, the load generator on 1, upstreams and databases on ${behind}`
}

/** The processors of a role, as taskset takes them; undefined for all of them. */
export function processorsOf(role: Role): string | undefined {
  if (!canPin || role === 'free') return undefined
  if (role === 'measured') return '0'
  if (role === 'load' || cores === 2) return '1'
  return cores === 3 ? '2' : `2-${cores - 1}`
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a program; `options.role` says where it runs. */
export function startChild(program: string, args: readonly string[], options: ChildOptions): Child {
  const processors = processorsOf(options.role)
  const [command, ...rest] =
    processors === undefined ? [program, ...args] : ['taskset', '-c', processors, program, ...args]
  if (command === undefined) throw new TypeError('no program')
  const child = spawn(command, rest, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  const lines: string[] = []
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  createInterface(child.stdout).on('line', (line) => {
    output += `${line}\n`
    lines.push(line)
    tell()
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      running.delete(child)
      resolve(status)
      tell()
    })
  })
  ended.catch(() => {})

  return {
    pid: child.pid ?? 0,
    output: () => output,
    ended,
    line: (word) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find((line) => line.startsWith(`${word} `))
          if (found === undefined && running.has(child)) return
          listeners.delete(look)
          if (found === undefined) reject(new Error(`${program} ended without a line ${word}:\n${output}`))
          else resolve(found.slice(word.length + 1))
        }
        listeners.add(look)
        ended.catch(reject)
        look()
      }),
    async stop() {
      if (!running.has(child)) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
      await ended
      clearTimeout(timer)
    },
  }
}

/** Starts one of this folder's TypeScript programs on the Node of this process. */
export function startScript(
  file: URL,
  args: readonly string[],
  options: ChildOptions & { readonly flags?: readonly string[] },
): Child {
  const flags = ['--conditions=hallpass-source', '--no-warnings', ...(options.flags ?? [])]
  return startChild(process.execPath, [...flags, file.pathname, ...args], options)
}

/** The resident memory of a process, in MiB. Undefined where /proc is not to be had. */
export function memoryOf(pid: number): number | undefined {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return match?.[1] === undefined ? undefined : Number(match[1]) / 1024
  } catch {
    return undefined
  }
}
