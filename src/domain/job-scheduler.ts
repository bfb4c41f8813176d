import type { Job } from './job.ts'
import { type JobRunner, jitter } from './job-runner.ts'
import type { Domain, Timers } from './ports.ts'

/** A start does no work that can wait, and what is due after it can. */
const firstLookMs = 30_000
/** How long at the most between two looks at what is due; what another process changed shows by then. */
const longestWaitMs = 60_000
const shortestWaitMs = 1000
/** So that nodes that were started together do not look together. */
const jitterMs = 15_000

export interface JobSchedulerOptions {
  readonly jobs: readonly Job[]
  readonly timers: Timers
  /** Hears why the store could not be asked what is due. It is asked again a minute later. */
  readonly onError: (error: unknown) => void
}

/**
 * Runs jobs when they are due, one after the other. Any number of processes may do so on one database: each job is run
 * by one of them. Answers with what stops it and waits for what has begun; a run that goes on is the runner's to end.
 */
export function scheduleJobs(
  domain: Domain,
  runner: JobRunner,
  options: JobSchedulerOptions,
): () => Promise<void> {
  const { jobs, timers, onError } = options
  let stopped = false
  let looking: Promise<void> = Promise.resolve()
  let cancel = timers.after(firstLookMs + jitter(domain, jitterMs), begin)

  function begin(): void {
    looking = look()
  }

  async function look(): Promise<void> {
    let waitMs = longestWaitMs
    try {
      waitMs = await runDue()
    } catch (error) {
      onError(error)
    }
    if (!stopped) cancel = timers.after(waitMs + jitter(domain, shortestWaitMs), begin)
  }

  /** Answers with how long it is to the next job, within the limits. */
  async function runDue(): Promise<number> {
    const { jobRuns } = domain.store
    const known = new Set((await jobRuns.all()).map(({ name }) => name))
    for (const { name } of jobs) {
      if (!known.has(name)) await jobRuns.schedule(name, domain.clock.now())
    }
    const due = await jobRuns.all()
    for (const job of jobs) {
      if (stopped) return longestWaitMs
      const record = due.find(({ name }) => name === job.name)
      if (record && record.nextRunAt <= domain.clock.now()) await runner.runIfDue(job).catch(onError)
    }
    const names = new Set(jobs.map(({ name }) => name))
    const times = (await jobRuns.all())
      .filter(({ name }) => names.has(name))
      // What another process runs at the moment is free again when that is done, or its lease is over.
      .map(({ nextRunAt, leaseUntil }) => Math.max(nextRunAt, leaseUntil ?? 0))
    const nextMs = Math.min(...times) - domain.clock.now()
    return Math.max(shortestWaitMs, Math.min(longestWaitMs, nextMs))
  }

  return () => {
    stopped = true
    cancel()
    return looking
  }
}
