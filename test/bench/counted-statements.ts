/** Counts what a process asks of SQLite, whoever asks. */
import { StatementSync } from 'node:sqlite'

/** The statements that run while `work` does, in their order. Prepared ones are counted at each run. */
export async function statementsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  const statements: string[] = []
  const { all, get, run, iterate } = StatementSync.prototype
  const counted = <Method extends (...args: never[]) => unknown>(method: Method): Method =>
    function (this: StatementSync, ...args: never[]) {
      statements.push(this.sourceSQL)
      return method.apply(this, args)
    } as Method
  Object.assign(StatementSync.prototype, {
    all: counted(all),
    get: counted(get),
    run: counted(run),
    iterate: counted(iterate),
  })
  try {
    await work()
  } finally {
    Object.assign(StatementSync.prototype, { all, get, run, iterate })
  }
  // How a store hears of other processes has nothing to do with the work.
  return statements.filter((statement) => !statement.includes('data_version'))
}
