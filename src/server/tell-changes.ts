import type { Observer } from '../domain/observation.ts'
import type { Domain } from '../domain/ports.ts'
import type { CacheChangeRecord } from '../domain/store.ts'

/** Tells the observer of changes that other processes committed, and how old the oldest of them was when it took effect. */
export function tellOfChanges(
  observer: Observer,
  changes: readonly CacheChangeRecord[],
  { clock, events }: Pick<Domain, 'clock' | 'events'>,
): void {
  const others = changes.filter(({ origin }) => origin !== events.origin)
  const [oldest] = others
  if (oldest) observer.changesHeard(others.length, clock.now() - oldest.at)
}
