/** Load: many requests over several connections, by wrk or, where that is missing, by autocannon. */
import { spawnSync } from 'node:child_process'
import { startChild, startScript } from './children.ts'
import { versionOf } from './machine.ts'

/** What is sent, and for how long. */
export interface Load {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** `{n}` in it becomes a number of twelve digits, which grows with every request. */
  readonly body?: string
  /** A header whose value differs from request to request: the lines of `file`, in turn, from line `from` on. */
  readonly varying?: { readonly header: string; readonly file: string }
  /** Where counting begins. Default 0. */
  readonly from?: number
  /** The share of answers that may be refusals, and must be, give or take a quarter of it. Default 0. */
  readonly refusedShare?: number
  /** Whether it is to be told by status and reason what was refused, which costs the generator something. Default false. */
  readonly tellsRefusals?: boolean
  /** Whether the generator runs on any processor. Default: on the one for load. */
  readonly anywhere?: boolean
}

export interface LoadResult {
  readonly requests: number
  readonly perSecond: number
  /** Of the time from a request to its answer, in milliseconds. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What sends load. */
export interface Loader {
  /** Its name and version. */
  readonly name: string
  /** @throws Error when answers are refusals that should not be, or connections break */
  run(load: Load): Promise<LoadResult>
}

/** What a load generator reports, on a line that begins with `BENCH`. */
interface Report {
  readonly requests: number
  readonly microseconds: number
  readonly refused: number
  /** How many were refused by which status and reason, in words; empty or absent where that was not to be told. */
  readonly reasons?: string
  readonly broken: number
  /** In microseconds. */
  readonly p50: number
  readonly p99: number
}

/** wrk where it is installed (Debian package `wrk`), else autocannon of bench/package.json. */
export function chooseLoader(): Loader {
  const wrk = spawnSync('wrk', ['-v'], { encoding: 'utf8' })
  const version = /^wrk\s+(?:debian\/)?([\w.-]+)/.exec(wrk.stdout ?? '')?.[1]
  return version === undefined
    ? loader(`autocannon ${versionOf('autocannon') ?? ''}`, runAutocannon)
    : loader(`wrk ${version}`, runWrk)
}

function loader(name: string, report: (load: Load) => Promise<Report>): Loader {
  return {
    name,
    async run(load) {
      const result = await report(load)
      checkReport(name, load, result)
      return {
        requests: result.requests,
        perSecond: result.requests / (result.microseconds / 1e6),
        p50Ms: result.p50 / 1000,
        p99Ms: result.p99 / 1000,
      }
    },
  }
}

function checkReport(name: string, { url, refusedShare = 0 }: Load, report: Report): void {
  const { requests, refused, reasons, broken } = report
  if (requests === 0) throw new Error(`${name}: ${url} answered nothing`)
  if (broken > 0) throw new Error(`${name}: ${broken} connections to ${url} broke or timed out`)
  const share = refused / requests
  if (Math.abs(share - refusedShare) > refusedShare / 4) {
    const told = reasons ? ` (${reasons})` : ''
    throw new Error(
      `${name}: ${url} refused ${refused} of ${requests} requests${told}; expected a share of ${refusedShare}`,
    )
  }
}

async function runWrk(load: Load): Promise<Report> {
  const { url, connections, seconds, method, headers = {}, body, varying, from = 0, anywhere = false } = load
  const { tellsRefusals = false } = load
  const script = new URL('wrk.lua', import.meta.url).pathname
  const child = startChild(
    'wrk',
    [
      '--threads=1',
      `--connections=${connections}`,
      `--duration=${seconds}s`,
      '--timeout=10s',
      `--script=${script}`,
      ...Object.entries(headers).map(([name, value]) => `--header=${name}: ${value}`),
      url,
    ],
    {
      role: anywhere ? 'free' : 'load',
      env: {
        BENCH_FROM: String(from),
        ...(tellsRefusals ? { BENCH_TELL: '1' } : {}),
        ...(method === undefined ? {} : { BENCH_METHOD: method }),
        ...(body === undefined ? {} : { BENCH_BODY: body }),
        ...(varying === undefined ? {} : { BENCH_HEADER: varying.header, BENCH_VALUES: varying.file }),
      },
    },
  )
  return JSON.parse(await child.line('BENCH')) as Report
}

async function runAutocannon(load: Load): Promise<Report> {
  const child = startScript(new URL('../peers/autocannon.ts', import.meta.url), [JSON.stringify(load)], {
    role: load.anywhere ? 'free' : 'load',
  })
  return JSON.parse(await child.line('BENCH')) as Report
}
