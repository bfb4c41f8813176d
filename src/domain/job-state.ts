import type { Job } from './job.ts'
import type { JobRunRecord } from './store.ts'

/** How a job stands, for administrators. Times are milliseconds since the epoch. */
export interface JobState {
  readonly name: string
  readonly description: string
  readonly everyMs: number
  readonly isRunning: boolean
  readonly lastStartedAt: number | null
  readonly lastFinishedAt: number | null
  /** How the last run ended; null before the first end. */
  readonly outcome: JobRunRecord['outcome']
  /** What the last run says for people; empty before the first end. */
  readonly summary: string
  /** Null until a server has been up for a minute and made it known. */
  readonly nextRunAt: number | null
}

/** Puts together what the program and what the store know of a job. */
export function jobStateOf(job: Job, record: JobRunRecord | undefined, now: number): JobState {
  const { name, description, everyMs } = job
  if (!record) {
    const never = { lastStartedAt: null, lastFinishedAt: null, outcome: null, summary: '', nextRunAt: null }
    return { name, description, everyMs, isRunning: false, ...never }
  }
  const { lastStartedAt, lastFinishedAt, nextRunAt } = record
  const isRunning = record.leaseUntil !== null && record.leaseUntil > now
  const times = { name, description, everyMs, isRunning, lastStartedAt, lastFinishedAt, nextRunAt }
  // A run that holds no lease any more and never said how it ended: its process was killed.
  if (!isRunning && record.leaseOwner !== null) {
    return { ...times, outcome: 'interrupted', summary: 'ended before it was done, because its process did' }
  }
  return { ...times, outcome: record.outcome, summary: record.summary }
}
