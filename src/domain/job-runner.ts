/** Runs jobs: each once at a time, on however many processes. The lease in the store decides who. */
import { type Refusal, refusal } from '../protocol/errors.ts'
import { commit } from './commit.ts'
import { type Actor, systemActor } from './events.ts'
import { type Job, JobLost, type JobRun } from './job.ts'
import { type JobState, jobStateOf } from './job-state.ts'
import type { Domain, Timers } from './ports.ts'
import type { JobRunEnd, JobRunRecord } from './store.ts'

/** How long a run holds its job without renewing the lease: what a run whose process died keeps others waiting. */
const leaseMs = 60_000
/** Often enough that one renewal may fail. */
const renewalMs = 20_000
/** How long after a failed run the next is tried; doubled with each further failure in a row. */
const firstRetryMs = 60_000
/** How much of an error's message is kept, in UTF-16 code units. */
const longestSummary = 500

export interface JobRunnerOptions {
  readonly jobs: readonly Job[]
  readonly timers: Timers
  /** Called before each run; writes what the run's decisions rest on, such as last use. Default: nothing. */
  readonly before?: () => Promise<void>
  /** Hears why a run failed, beside the record of it. */
  readonly onError: (error: unknown, job: string) => void
}

export type RunAnswer =
  | { readonly outcome: 'ran'; readonly job: JobState }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

export class JobRunner {
  readonly #domain: Domain
  readonly #options: JobRunnerOptions
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()

  constructor(domain: Domain, options: JobRunnerOptions) {
    this.#domain = domain
    this.#options = options
  }

  /** How every job stands, in the order of the list. */
  async states(): Promise<readonly JobState[]> {
    const records = new Map((await this.#domain.store.jobRuns.all()).map((record) => [record.name, record]))
    const now = this.#domain.clock.now()
    return this.#options.jobs.map((job) => jobStateOf(job, records.get(job.name), now))
  }

  /**
   * Runs a job now, because `actor` asks for it, due or not; answers once it has ended, well or not. That it was asked
   * for is audited. Reasons: `not_found`, `job_running`.
   */
  async run(name: string, actor: Actor): Promise<RunAnswer> {
    const job = this.#options.jobs.find((each) => each.name === name)
    if (!job) return { outcome: 'refused', refusal: refusal('not_found', { what: 'such job' }) }
    const owner = this.#newOwner()
    const isTaken = await commit(this.#domain, actor, async (session) => {
      await session.jobRuns.schedule(name, this.#domain.clock.now())
      const result = await session.jobRuns.take(name, this.#lease(owner, false))
      return { result, events: result ? [{ type: 'job_run_asked_for', job: name }] : [] }
    })
    if (!isTaken) return { outcome: 'refused', refusal: await this.#runningRefusal(name) }
    await this.#track(this.#carryOut(job, owner))
    const record = await this.#domain.store.jobRuns.find(name)
    return { outcome: 'ran', job: jobStateOf(job, record, this.#domain.clock.now()) }
  }

  /** Runs the job if it is due and nobody else does; answers whether it ran. */
  async runIfDue(job: Job): Promise<boolean> {
    const owner = this.#newOwner()
    if (this.#closing.signal.aborted) return false
    if (!(await this.#domain.store.jobRuns.take(job.name, this.#lease(owner, true)))) return false
    await this.#track(this.#carryOut(job, owner))
    return true
  }

  /** Ends what runs after its present batch, and waits for it. */
  async close(): Promise<void> {
    this.#closing.abort(new ProcessEnds())
    await Promise.allSettled(this.#running)
  }

  async #carryOut(job: Job, owner: string): Promise<void> {
    const { store, clock } = this.#domain
    const record = await store.jobRuns.find(job.name)
    const lost = new AbortController()
    const stopRenewing = this.#keepLease(job.name, owner, lost)
    const signal = AbortSignal.any([this.#closing.signal, lost.signal])
    const startedAt = performance.now()
    try {
      const { end, error } = await this.#endOf(job, this.#runOf(job.name, owner, signal), record)
      const result = end?.outcome ?? 'lost'
      this.#domain.observer.jobEnded(job.name, result, performance.now() - startedAt)
      if (end) await store.jobRuns.finish(job.name, owner, { ...end, finishedAt: clock.now() })
      if (error !== undefined) this.#options.onError(error, job.name)
    } finally {
      stopRenewing()
    }
  }

  /** How a run ended, and the fault if it failed. No end when the job is another's by now, who will say how it ended. */
  async #endOf(
    job: Job,
    run: JobRun,
    record: JobRunRecord | undefined,
  ): Promise<{ readonly end?: Omit<JobRunEnd, 'finishedAt'>; readonly error?: unknown }> {
    try {
      await this.#options.before?.()
      const carryOut = () => job.run(this.#domain, run)
      const { tracing } = this.#domain
      const { summary } = await (tracing ? tracing.part(`hallpass job ${job.name}`, carryOut) : carryOut())
      const nextRunAt = this.#domain.clock.now() + job.everyMs + this.#jitter(job.everyMs / 20)
      return { end: { outcome: 'succeeded', summary, failures: 0, nextRunAt } }
    } catch (error) {
      const now = this.#domain.clock.now()
      const before = record?.failures ?? 0
      if (error instanceof JobLost) return {}
      if (error instanceof ProcessEnds) {
        const summary = 'ended before it was done, because its process did; it goes on soon'
        return { end: { outcome: 'interrupted', summary, failures: before, nextRunAt: now } }
      }
      const waitMs = Math.min(job.everyMs, firstRetryMs * 2 ** Math.min(before, 20))
      const nextRunAt = now + waitMs + this.#jitter(waitMs / 5)
      const summary = (error instanceof Error ? error.message : String(error)).slice(0, longestSummary)
      return { end: { outcome: 'failed', summary, failures: before + 1, nextRunAt }, error }
    }
  }

  #runOf(name: string, owner: string, signal: AbortSignal): JobRun {
    return {
      signal,
      commit: (work) =>
        commit(this.#domain, systemActor, async (session) => {
          if (!(await session.jobRuns.renew(name, owner, this.#leaseEnd()))) throw new JobLost(name)
          return work(session)
        }),
    }
  }

  /** Renews the lease again and again, for runs whose batches are far apart. */
  #keepLease(name: string, owner: string, lost: AbortController): () => void {
    const { store } = this.#domain
    let cancel = this.#options.timers.after(renewalMs, renew)
    const runner = this
    function renew(): void {
      cancel = runner.#options.timers.after(renewalMs, renew)
      store.jobRuns.renew(name, owner, runner.#leaseEnd()).then(
        (isOurs) => {
          if (!isOurs) lost.abort(new JobLost(name))
        },
        // The store cannot be reached: the next batch will say so, or the next renewal succeeds.
        () => {},
      )
    }
    return () => cancel()
  }

  async #runningRefusal(name: string): Promise<Refusal> {
    const record = await this.#domain.store.jobRuns.find(name)
    return refusal('job_running', {
      job: name,
      started_at: new Date(record?.lastStartedAt ?? 0).toISOString(),
      free_at: new Date(record?.leaseUntil ?? 0).toISOString(),
    })
  }

  async #track(work: Promise<void>): Promise<void> {
    this.#running.add(work)
    try {
      await work
    } finally {
      this.#running.delete(work)
    }
  }

  #newOwner(): string {
    return Buffer.from(this.#domain.random.bytes(16)).toString('hex')
  }

  #lease(
    owner: string,
    onlyDue: boolean,
  ): { readonly owner: string; readonly now: number; readonly until: number; readonly onlyDue: boolean } {
    return { owner, now: this.#domain.clock.now(), until: this.#leaseEnd(), onlyDue }
  }

  #leaseEnd(): number {
    return this.#domain.clock.now() + leaseMs
  }

  /** A chance part of `atMostMs`, so that jobs of one length, and nodes, do not come round together. */
  #jitter(atMostMs: number): number {
    return jitter(this.#domain, atMostMs)
  }
}

/** A random number of milliseconds from 0 to `atMostMs`. */
export function jitter({ random }: Pick<Domain, 'random'>, atMostMs: number): number {
  const [high = 0, low = 0] = random.bytes(2)
  return Math.floor((atMostMs * (high * 256 + low)) / 65_536)
}

/** The reason of the signal when the process ends. */
class ProcessEnds extends Error {}
