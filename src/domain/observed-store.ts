import type { Observer } from './observation.ts'
import type { Store } from './store.ts'

/** Asked so often, or so seldom, that how long it takes says nothing. */
const unobserved: ReadonlySet<PropertyKey> = new Set([
  'changedElsewhere',
  'watch',
  'observe',
  'close',
  'then',
])

/**
 * The same store, whose observer is told of everything it is asked outside a transaction, and of every transaction as a
 * whole. Not for an observer that is off: it costs a little for each question.
 */
export function observedStore(store: Store, observer: Observer): Store {
  return observed(store, '', observer)
}

function observed<Part extends object>(part: Part, path: string, observer: Observer): Part {
  const wrapped = new Map<PropertyKey, unknown>()
  return new Proxy(part, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (unobserved.has(name) || typeof name === 'symbol') return bound(value, target)
      const known = wrapped.get(name)
      if (known !== undefined) return known
      const operation = path === '' ? name : `${path}.${name}`
      const observing =
        typeof value === 'function'
          ? timed(value.bind(target), operation, observer)
          : typeof value === 'object' && value !== null
            ? observed(value, operation, observer)
            : value
      wrapped.set(name, observing)
      return observing
    },
  })
}

function bound(value: unknown, target: object): unknown {
  return typeof value === 'function' ? value.bind(target) : value
}

type Ask = (...asked: unknown[]) => Promise<unknown>

function timed(ask: Ask, operation: string, observer: Observer): Ask {
  return async (...asked) => {
    const startedAt = performance.now()
    try {
      const answer = await ask(...asked)
      observer.storeAsked(operation, 'done', performance.now() - startedAt)
      return answer
    } catch (error) {
      observer.storeAsked(operation, 'failed', performance.now() - startedAt)
      throw error
    }
  }
}
