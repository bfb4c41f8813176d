/** Whether this process waits for PostgreSQL, for tests whose time is moved by hand: everything else takes no time. */
import pg from 'pg'

let waiting = 0

/** Counts the promises that a method answers with for as long as they are not settled. */
function counted<Method extends (...parameters: never[]) => unknown>(method: Method): Method {
  return function (this: unknown, ...parameters: never[]) {
    const answer = method.apply(this, parameters)
    if (answer instanceof Promise) {
      waiting += 1
      const settled = (): void => {
        waiting -= 1
      }
      answer.then(settled, settled)
    }
    return answer
  } as Method
}

pg.Client.prototype.query = counted(pg.Client.prototype.query)
pg.Pool.prototype.connect = counted(pg.Pool.prototype.connect)

/** Resolves when nothing has waited for the database for twenty turns of the event loop. */
export async function postgresIdle(): Promise<void> {
  for (let quiet = 0; quiet < 20; quiet += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    if (waiting > 0) quiet = 0
  }
}
