/** What a job is: work that comes round by itself, in batches, on one process at a time. `jobs.ts` lists them. */
import type { SettingName } from '../protocol/settings.ts'
import type { Transition } from './commit.ts'
import type { Domain } from './ports.ts'
import type { StoreSession } from './store.ts'

export interface Job {
  /** Kebab-case. Names the job in the store, to administrators and on the command line; never changes. */
  readonly name: string
  /** One sentence for people. */
  readonly description: string
  /** From the end of one run to the next. */
  readonly everyMs: number
  /** Does the work. What it throws makes the run a failed one, which is tried again. */
  run(domain: Domain, run: JobRun): Promise<JobOutcome>
}

/** What a run came to. */
export interface JobOutcome {
  /** For people, in lower case: `3 keys revoked`. */
  readonly summary: string
}

/** One run of a job, as the job sees it. */
export interface JobRun {
  /** Aborted when the process is about to end, and when the job has gone to another. */
  readonly signal: AbortSignal
  /**
   * As `commit`, by the system. The same transaction prolongs the run's hold on the job, so that nothing is committed
   * by a run that another has taken the place of.
   *
   * @throws JobLost when another has
   */
  commit<T>(work: (session: StoreSession) => Promise<Transition<T>>): Promise<T>
}

/** Thrown in a run that is not the one any more: its process stood still for so long that another took the job. */
export class JobLost extends Error {
  override readonly name = 'JobLost'
}

/** How many rows one transaction looks at. Others wait for it, so that it is worth a few milliseconds and no more. */
export const batchSize = 200

/** What one batch did: how many things, and where the next goes on; `next` is undefined after the last. */
export interface Batch<Cursor> {
  readonly done: number
  readonly next: Cursor | undefined
}

/**
 * Works through batches, each a transaction of its own, until there is no next one; answers with how many things were
 * done in all. Between two of them everybody else has a turn, and the run ends when it is told to.
 *
 * @throws the signal's reason when the run is told to end
 */
export async function inBatches<Cursor>(
  run: JobRun,
  work: (session: StoreSession, after: Cursor | undefined) => Promise<Transition<Batch<Cursor>>>,
): Promise<number> {
  let done = 0
  let after: Cursor | undefined
  for (;;) {
    run.signal.throwIfAborted()
    const batch = await run.commit((session) => work(session, after))
    done += batch.done
    if (batch.next === undefined) return done
    after = batch.next
    await new Promise((resolve) => setTimeout(resolve, 0))
  }
}

/** `1 key`, `3 keys`. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}

/** The outcome of a run whose setting is 0. */
export function turnedOff(setting: SettingName): JobOutcome {
  return { summary: `turned off: ${setting} is 0` }
}
