import { JobRunner } from '../domain/job-runner.ts'
import { scheduleJobs } from '../domain/job-scheduler.ts'
import { hallpassJobs } from '../domain/jobs.ts'
import type { Domain, Timers } from '../domain/ports.ts'

/** Jobs in this process. */
export interface RunningJobs {
  /** Knows how they stand, and runs one when somebody asks for it. */
  readonly runner: JobRunner
  /** Begins no further run, and ends what runs after its present batch. */
  stop(): Promise<void>
}

export interface JobsOptions {
  /** Whether jobs run when they are due, or only when somebody asks for it. */
  readonly onSchedule: boolean
  readonly timers: Timers
  /** Called before each run; writes what is still in memory and decides what a job does. */
  readonly before: () => Promise<void>
  /** Hears of what went wrong; `where` names the job. */
  readonly onError: (error: unknown, where: string) => void
}

/** Gets Hallpass's jobs ready to run, and runs them on schedule if that is wanted. */
export function startJobs(domain: Domain, { onSchedule, timers, before, onError }: JobsOptions): RunningJobs {
  const jobs = hallpassJobs
  const runner = new JobRunner(domain, {
    jobs,
    timers,
    before,
    onError: (error, job) => onError(error, `job ${job}`),
  })
  const stopSchedule = onSchedule
    ? scheduleJobs(domain, runner, { jobs, timers, onError: (error) => onError(error, 'jobs') })
    : undefined
  return {
    runner,
    async stop() {
      const stopped = stopSchedule?.()
      await runner.close()
      await stopped
    },
  }
}
