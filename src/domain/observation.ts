/**
 * What somebody who looks after the server can see of it: one port, a method for each thing. Rooms call it where the thing
 * happens; metrics, request logs and the like implement it (`server/prometheus-observer.ts`, `server/log-observer.ts`).
 * Names that become labels come from catalogues and from the code, never from what a caller sent, so that no caller can
 * make their number grow.
 */
import type { Reason, Refusal } from '../protocol/errors.ts'
import type { Trace } from './trace.ts'

/** What a request was known by; `none` where it brought nothing. */
export type CredentialKind = 'user_api_key' | 'api_key' | 'session' | 'none'

/** What verification came to: the reason of its refusal, or how it ended well. */
export type VerificationResult = 'authenticated' | 'anonymous' | Reason

/**
 * How the cache of keys answered: it knew the key; it did not; it knew that there is no such key; or it may not be trusted,
 * because changes of others cannot be heard.
 */
export type CacheAnswer = 'hit' | 'miss' | 'known_absent' | 'untrusted'

/** What became of one try to push. `lost`: another process had taken it over. */
export type PushResult = 'delivered' | 'retry' | 'dead' | 'lost'

/** `lost`: another process has taken the job over, and will say how it ended. */
export type JobResult = 'succeeded' | 'failed' | 'interrupted' | 'lost'

/** A request that was answered. */
export interface AnsweredRequest {
  readonly method: string
  /** The words of the route's pattern, such as `session/current`; `gateway`, `forward-auth`; `none` where no route fits. */
  readonly route: string
  readonly status: number
  readonly durationMs: number
  readonly trace: Trace
  /** The address of whoever sent it, as configured; null when it is not known. */
  readonly address: string | null
}

/** A request that was refused. */
export interface RefusedRequest {
  readonly refusal: Refusal
  readonly method: string
  readonly trace: Trace
  readonly address: string | null
}

/** What is asked for when somebody looks, because following it would cost more than a look. */
export interface Readings {
  /** How many keys are in memory. */
  cachedKeys(): number
  /** Milliseconds since changes of other nodes were last read with success; undefined where there is no bus. */
  busAgeMs(): number | undefined
  /** Whether the cache may be used: changes of other nodes are heard in time. */
  isBusTrusted(): boolean
  /** How many pushes wait, and how many were given up. */
  outbox(): Promise<{ readonly pending: number; readonly dead: number }>
}

/** Hears what happens. None of its methods throws or waits. */
export interface Observer {
  /**
   * Whether somebody wants the methods that are called for every request (`verified`, `cacheAsked`, `answered`,
   * `storeAsked`). While false these are not called and no clock is read. It does not change.
   */
  readonly isOn: boolean
  /** Told once, at the start: where to read what is not told. */
  watch(readings: Readings): void
  /** A request's sender was looked at. */
  verified(credential: CredentialKind, result: VerificationResult, durationMs: number): void
  /** The cache of keys was asked. */
  cacheAsked(answer: CacheAnswer): void
  /** The store was asked. `operation` is the method's name, such as `userApiKeys.findByHash`, or `transaction`. */
  storeAsked(operation: string, outcome: 'done' | 'failed', durationMs: number): void
  /** One commit reached the disk, with this many transactions in it. */
  committed(works: number): void
  /** Changes of other nodes were applied, the oldest this long after it was committed. */
  changesHeard(changes: number, delayMs: number): void
  /** The bus began to be trusted, or ceased to be. */
  busTrusted(isTrusted: boolean): void
  /** A limit was reached; `limit` is the name of its setting. */
  limited(limit: string): void
  /** A run of a job ended. */
  jobEnded(job: string, result: JobResult, durationMs: number): void
  /** A push was tried. */
  pushTried(result: PushResult, durationMs: number): void
  /** A request was answered. */
  answered(request: AnsweredRequest): void
  /** A request was refused, whatever else is told of it. */
  refused(request: RefusedRequest): void
  /** All that it has gathered, as text for whoever may read GET /hallpass/metrics. Absent: there is no such route. */
  readonly expose?: () => Promise<Exposition>
}

/** Metrics of the moment, in Prometheus's text format. */
export interface Exposition {
  readonly contentType: string
  readonly text: string
}

const nothing = (): void => {}

/** Nobody looks: the default. */
export const noObserver: Observer = {
  isOn: false,
  watch: nothing,
  verified: nothing,
  cacheAsked: nothing,
  storeAsked: nothing,
  committed: nothing,
  changesHeard: nothing,
  busTrusted: nothing,
  limited: nothing,
  jobEnded: nothing,
  pushTried: nothing,
  answered: nothing,
  refused: nothing,
}

/** One observer out of several: each hears everything that it wants. */
export function allObservers(observers: readonly Observer[]): Observer {
  const [only, ...others] = observers
  if (!only) return noObserver
  if (others.length === 0) return only
  const wanting = observers.filter(({ isOn }) => isOn)
  const expose = observers.find((observer) => observer.expose)?.expose
  const all = <Name extends Exclude<keyof Observer, 'isOn' | 'expose'>>(name: Name, among = observers) => {
    return (...told: Parameters<Observer[Name]>): void => {
      for (const observer of among) {
        const tell = observer[name] as (...told: Parameters<Observer[Name]>) => void
        tell(...told)
      }
    }
  }
  return {
    isOn: wanting.length > 0,
    watch: all('watch'),
    verified: all('verified', wanting),
    cacheAsked: all('cacheAsked', wanting),
    storeAsked: all('storeAsked', wanting),
    committed: all('committed'),
    changesHeard: all('changesHeard'),
    busTrusted: all('busTrusted'),
    limited: all('limited'),
    jobEnded: all('jobEnded'),
    pushTried: all('pushTried'),
    answered: all('answered', wanting),
    refused: all('refused'),
    ...(expose ? { expose } : {}),
  }
}
