import { type Store, StoreUnavailable } from './store.ts'

export interface StoreGuard {
  /** How long the store may take to answer, in milliseconds. */
  readonly timeoutMs: () => number
  /** Whether an error of the store says that it does not answer at the moment. */
  readonly isUnavailable: (error: unknown) => boolean
}

/** How many questions may wait for the store at once. More would not be answered in time either. */
const mostWaiting = 1000

/** The system's own, also where a test has put the clock into its own hands. */
const afterThisTurn = setImmediate

/**
 * The same store, of which nothing is asked that does not end: what takes too long, what fails because the database
 * cannot be reached, and what would wait behind too many others, rejects with {@link StoreUnavailable}. Other errors stay
 * what they are. A question counts as waiting until the store itself has given it up.
 */
export function guardStore<Asked extends object = Store>(store: Asked, guard: StoreGuard): Asked {
  let waiting = 0

  function ask<T>(question: () => Promise<T>): Promise<T> {
    if (waiting >= mostWaiting) {
      return Promise.reject(new StoreUnavailable(`${waiting} questions wait for the database already`))
    }
    waiting += 1
    return new Promise<T>((resolve, reject) => {
      const timeoutMs = guard.timeoutMs()
      const late = (): void =>
        reject(new StoreUnavailable(`the database did not answer within ${timeoutMs} milliseconds`))
      // A process that stood still finds that the time is over before it has read the answer that is there.
      const timer = setTimeout(() => afterThisTurn(late), timeoutMs)
      const settle = (): void => {
        clearTimeout(timer)
        waiting -= 1
      }
      begin(question).then(
        (answer) => {
          settle()
          resolve(answer)
        },
        (error: unknown) => {
          settle()
          reject(translated(error))
        },
      )
    })
  }

  function translated(error: unknown): unknown {
    if (!guard.isUnavailable(error)) return error
    return new StoreUnavailable('the database cannot be asked at the moment', { cause: error })
  }

  /** What is asked of one part of the store, such as `userApiKeys`. */
  function guarded<Part extends object>(part: Part): Part {
    const wrapped = new Map<PropertyKey, unknown>()
    return new Proxy(part, {
      get(target, name) {
        const found: unknown = Reflect.get(target, name, target)
        if (typeof found === 'object' && found !== null) {
          const known = wrapped.get(name) ?? guarded(found)
          wrapped.set(name, known)
          return known
        }
        if (typeof found !== 'function' || unguarded.has(name)) return found
        const known =
          wrapped.get(name) ??
          ((...given: readonly unknown[]) =>
            // Looked up anew each time: a test may have put another in its place.
            ask(() =>
              Reflect.apply(Reflect.get(target, name, target) as () => Promise<unknown>, target, given),
            ))
        wrapped.set(name, known)
        return known
      },
    })
  }
  return guarded(store)
}

/** They do not ask a question. */
const unguarded: ReadonlySet<PropertyKey> = new Set(['watch', 'observe', 'close'])

async function begin<T>(question: () => Promise<T>): Promise<T> {
  return question()
}
