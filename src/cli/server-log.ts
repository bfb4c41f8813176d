/**
 * The log of `hallpass serve`: a line for every thing, on stderr, as JSON for programs or as text for people. On `pino`,
 * which is loaded only here.
 */
import type { Writable } from 'node:stream'
import {
  type AnsweredRequest,
  noObserver,
  type Observer,
  type RefusedRequest,
} from '../domain/observation.ts'
import type { Log } from '../domain/ports.ts'
import { textLine } from './log-text.ts'
import { withoutSecrets } from './redact.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export const logFormats = ['auto', 'json', 'text'] as const
export type LogFormat = (typeof logFormats)[number]

export interface ServerLogOptions {
  /** What is worth a line. At `debug`, every request; at `info`, every refusal but those for a limit or an outage. */
  readonly level: LogLevel
  /** `auto`: text where `to` is a terminal, else JSON. */
  readonly format: LogFormat
  /** Default: the error stream. */
  readonly to?: Pick<Writable, 'write'> & { readonly isTTY?: boolean }
  /** Which of several processes it is, for its lines. Default: no word of it. */
  readonly worker?: number
}

export interface ServerLog {
  /** Hallpass's own lines: at `warn` those of which something is not as it should be, else at `info`. */
  readonly log: Log
  /** Something is not as it should be, and goes on. */
  warn(event: string, message: string): void
  /** A fault of Hallpass's own. `where`: the trace of the request that met it, or the part that did. */
  fault(error: unknown, where: string): void
  /** Resolves once all lines so far are written. */
  flush(): Promise<void>
  /** Hears of requests, as far as the level wants them. */
  readonly observer: Observer
}

/** Opens the log. What writes it is loaded for its first line, so that a start need not wait for it. */
export function openServerLog(options: ServerLogOptions): ServerLog {
  const lowest = logLevels.indexOf(options.level)
  const early: Line[] = []
  let logger: Logger | undefined
  let loading: Promise<void> | undefined
  /** When a line came that was written later. */
  let at: number | undefined

  async function load(): Promise<void> {
    logger = await createLogger(options, () => at ?? Date.now())
    for (const line of early.splice(0)) {
      at = line.at
      logger(line.level, line.facts)
    }
    at = undefined
  }

  function write(level: LogLevel, facts: object): void {
    if (logLevels.indexOf(level) < lowest) return
    if (logger) {
      logger(level, facts)
      return
    }
    early.push({ level, facts, at: Date.now() })
    loading ??= load()
  }

  return {
    log: (event) => write(warnings.has(event.event) ? 'warn' : 'info', event),
    warn: (event, message) => write('warn', { event, message: withoutSecrets(message) }),
    fault: (error, where) => write('error', { event: 'fault', ...placeOf(where), error: errorFacts(error) }),
    flush: async () => loading,
    observer: {
      ...noObserver,
      isOn: options.level === 'debug',
      answered: (request) => write('debug', { event: 'request', ...answeredFacts(request) }),
      refused(request) {
        // Whoever is over a limit must not fill the log as well; nor must an outage, which is told of by itself.
        const level = [429, 503].includes(request.refusal.status) ? 'debug' : 'info'
        if (logLevels.indexOf(level) >= lowest) write(level, { event: 'refused', ...refusedFacts(request) })
      },
      busTrusted(isTrusted) {
        if (isTrusted) write('info', { event: 'bus_trusted' })
        else write('warn', { event: 'bus_untrusted' })
      },
    },
  }
}

/** The events after which less holds than was asked for. */
const warnings: ReadonlySet<string> = new Set(['limits_not_shared', 'worker_ended', 'workers_not_replaced'])

interface Line {
  readonly level: LogLevel
  readonly facts: object
  readonly at: number
}

type Logger = (level: LogLevel, facts: object) => void

async function createLogger(options: ServerLogOptions, now: () => number): Promise<Logger> {
  const { level, format, to = process.stderr, worker } = options
  const { pino } = await import('pino')
  const asText = format === 'text' || (format === 'auto' && to.isTTY === true)
  const write = (line: string): void => {
    to.write(asText ? textLine(line) : line.replace(controls, escaped))
  }
  const logger = pino(
    {
      level,
      base: worker === undefined ? { pid: process.pid } : { pid: process.pid, worker },
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      // Not pino's own, which takes all that an error holds: what a database says may quote what it was asked.
      serializers: {},
    },
    { write },
  )
  return (level, facts) => logger[level](facts)
}

function answeredFacts({ method, route, status, durationMs, trace, address }: AnsweredRequest) {
  const duration = Math.round(durationMs * 1000) / 1000
  return { method, route, status, duration_ms: duration, trace_id: trace.id, address, ...keyFacts(trace.key) }
}

function refusedFacts({ refusal, method, trace, address }: RefusedRequest) {
  const { reason, status, details } = refusal
  const limit = reason === 'rate_limited' ? { limit: details.limit } : {}
  return { reason, status, method, ...limit, trace_id: trace.id, address, ...keyFacts(trace.key) }
}

function keyFacts(key: AnsweredRequest['trace']['key']): Readonly<Record<string, string | number>> {
  return key ? { key_kind: key.kind, key_id: key.id } : {}
}

function placeOf(where: string): Readonly<Record<string, string>> {
  return /^[0-9a-f]{32}$/.test(where) ? { trace_id: where } : { where }
}

/** What is told of an error: its kind, its words and where it came from, without what might be a secret. */
function errorFacts(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof Error)) return { message: withoutSecrets(String(error)) }
  const code = 'code' in error ? { code: withoutSecrets(String(error.code)) } : {}
  const cause = error.cause === undefined ? {} : { cause: withoutSecrets(String(error.cause)) }
  return {
    name: error.name,
    message: withoutSecrets(error.message),
    ...code,
    ...cause,
    ...(error.stack === undefined ? {} : { stack: withoutSecrets(error.stack) }),
  }
}

/** JSON leaves these as they are, and a terminal obeys some of them. */
const controls = /[\x7f-\x9f\u2028\u2029]/g

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
