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
  /** What is worth a line. At `debug`, every request; at `info`, every refusal but those for a limit. */
  readonly level: LogLevel
  /** `auto`: text where `to` is a terminal, else JSON. */
  readonly format: LogFormat
  /** Default: the error stream. */
  readonly to?: Pick<Writable, 'write'> & { readonly isTTY?: boolean }
  /** Which of several processes it is, for its lines. Default: no word of it. */
  readonly worker?: number
}

export interface ServerLog {
  /** Hallpass's own lines, at `info`. */
  readonly log: Log
  /** Something is not as it should be, and goes on. */
  warn(event: string, message: string): void
  /** A fault of Hallpass's own. `where`: the trace of the request that met it, or the part that did. */
  fault(error: unknown, where: string): void
  /** Hears of requests, as far as the level wants them. */
  readonly observer: Observer
}

/** Opens the log. */
export async function openServerLog(options: ServerLogOptions): Promise<ServerLog> {
  const { level, format, to = process.stderr, worker } = options
  const { pino, stdTimeFunctions } = await import('pino')
  const asText = format === 'text' || (format === 'auto' && to.isTTY === true)
  const write = (line: string): void => {
    to.write(asText ? textLine(line) : line.replace(controls, escaped))
  }
  const log = pino(
    {
      level,
      base: worker === undefined ? { pid: process.pid } : { pid: process.pid, worker },
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      // Not pino's own, which takes all that an error holds: what a database says may quote what it was asked.
      serializers: {},
    },
    { write },
  )
  return {
    log: (event) => log.info(event),
    warn: (event, message) => log.warn({ event, message: withoutSecrets(message) }),
    fault: (error, where) => log.error({ event: 'fault', ...placeOf(where), error: errorFacts(error) }),
    observer: {
      ...noObserver,
      isOn: log.isLevelEnabled('debug'),
      answered: (request) => log.debug({ event: 'request', ...answeredFacts(request) }),
      refused(request) {
        // Whoever is over a limit must not fill the log as well.
        const tell = request.refusal.status === 429 ? 'debug' : 'info'
        if (log.isLevelEnabled(tell)) log[tell]({ event: 'refused', ...refusedFacts(request) })
      },
      busTrusted: (isTrusted) => {
        if (isTrusted) log.info({ event: 'bus_trusted' })
        else log.warn({ event: 'bus_untrusted' })
      },
    },
  }
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
