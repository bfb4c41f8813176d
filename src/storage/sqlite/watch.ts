import { type FSWatcher, watch } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { ChangeListener } from '../../domain/store.ts'

/**
 * How often SQLite is asked when nothing happens, in milliseconds: where the system tells of writing to the log, and where it
 * does not. Asking costs a process that is idle more than it seems: it has to be woken for it.
 */
const [toldMs, untoldMs] = [100, 10]

/** After the first sign of a commit, in milliseconds: at first, and at the most. */
const [soonestMs, latestMs] = [1, 32]

/** Writing that shows while SQLite is asked at least so often changes nothing, in milliseconds. */
const oftenMs = 4

/** The system's own, also where a test has put the clock into its own hands. */
const later = setTimeout

/**
 * Tells of commits of other connections, by SQLite's own word. It is asked past Kysely, because it may be asked while a
 * transaction runs: it neither reads nor touches a row, and must not wait for one that takes long. Keeps no process
 * alive. Answers with what stops it.
 *
 * What is about to be committed is written to the log first. The system tells of that, and then SQLite is asked again and
 * again, each time after twice as long: so a commit is heard of late by the time that it takes itself, at the most.
 */
export function watchCommits(
  connection: DatabaseSync,
  path: string,
  { onCommit, onLost }: ChangeListener,
): () => void {
  // Nobody else can reach it.
  if (path === ':memory:') return () => {}
  const statement = connection.prepare('pragma data_version')
  let known = statement.get()?.data_version
  let lost = false
  let waitMs = 0
  let timer: NodeJS.Timeout | undefined
  let log = watchLog(path, isWritten, isUntold)

  function isWritten(): void {
    if (waitMs > oftenMs) askAfter(soonestMs)
  }

  function isUntold(): void {
    log = undefined
    askAfter(soonestMs)
  }

  function askAfter(ms: number): void {
    clearTimeout(timer)
    waitMs = ms
    timer = later(ask, ms).unref()
  }

  function ask(): void {
    const isNew = hasNew()
    if (!log) askAfter(untoldMs)
    // What was written meanwhile may be of the next commit.
    else if (isNew) askAfter(soonestMs)
    else askAfter(waitMs < latestMs ? waitMs * 2 : toldMs)
    if (isNew) onCommit()
  }

  function hasNew(): boolean {
    try {
      const version = statement.get()?.data_version
      const isNew = version !== known || lost
      known = version
      lost = false
      return isNew
    } catch (error) {
      // Told once, not a hundred times a second.
      if (!lost) onLost(error)
      lost = true
      return false
    }
  }

  askAfter(soonestMs)
  return () => {
    clearTimeout(timer)
    log?.close()
  }
}

/** Calls `isWritten` whenever the log is written to. Undefined, or `isUntold` called once, where the system does not tell. */
function watchLog(path: string, isWritten: () => void, isUntold: () => void): FSWatcher | undefined {
  // Windows tells when the file is closed.
  if (process.platform === 'win32') return undefined
  try {
    const watcher = watch(`${path}-wal`, { persistent: false })
    const end = (): void => {
      watcher.close()
      isUntold()
    }
    watcher.on('change', (event) => (event === 'change' ? isWritten() : end()))
    watcher.on('error', end)
    return watcher
  } catch {
    return undefined
  }
}
