import type { DatabaseSync } from 'node:sqlite'
import type { ChangeListener } from '../../domain/store.ts'

/** How often the file is asked, in milliseconds. Asking takes a few microseconds. */
const askEveryMs = 10

/**
 * Tells of commits of other connections, by SQLite's own word. It is asked past Kysely, because it may be asked while a
 * transaction runs: it neither reads nor touches a row, and must not wait for one that takes long. Keeps no process
 * alive. Answers with what stops it.
 */
export function watchCommits(connection: DatabaseSync, { onCommit, onLost }: ChangeListener): () => void {
  const statement = connection.prepare('pragma data_version')
  let known = statement.get()?.data_version
  let lost = false

  function ask(): void {
    try {
      const version = statement.get()?.data_version
      if (version === known && !lost) return
      known = version
      lost = false
    } catch (error) {
      // Told once, not a hundred times a second.
      if (!lost) onLost(error)
      lost = true
      return
    }
    onCommit()
  }

  const timer = setInterval(ask, askEveryMs)
  timer.unref()
  return () => clearInterval(timer)
}
