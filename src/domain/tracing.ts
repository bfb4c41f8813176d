import type { Store } from './store.ts'

/** Makes spans of what goes on, for a tracing system. */
export interface Tracing {
  /** The span of a request, to which what `work` does belongs; undefined for one that was not Hallpass's to answer. */
  request(request: Request, work: () => Promise<Response | undefined>): Promise<Response | undefined>
  /** A part of what goes on: a transaction, a push, a run of a job. `name` says which, without what a caller sent. */
  part<T>(name: string, work: () => Promise<T>): Promise<T>
}

/** The same store, each of whose transactions is a span. */
export function tracedStore(store: Store, tracing: Tracing): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name === 'transaction') {
        const traced: Store['transaction'] = (work) =>
          tracing.part('hallpass transaction', () => target.transaction(work))
        return traced
      }
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
