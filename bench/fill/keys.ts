/** What stands in a filled store: keys whose text follows from their number, so that they can be presented. */
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

/** How many keys each user has. */
const keysPerUser = 10

/** The fewest users that there are. */
export const fewestUsers = 100

/** How many users a store of `keys` keys has. Their ids count from 1, and so do the numbers of keys. */
export function usersOf(keys: number): number {
  return Math.max(fewestUsers, Math.ceil(keys / keysPerUser))
}

/** The text of key `n`: what `md5('bench key ' || n)` makes of it in PostgreSQL too. */
export function keyText(n: number): string {
  return hash('md5', `bench key ${n}`)
}

/** A key of the right form that no store has. */
export function unknownKeyText(n: number): string {
  return hash('md5', `bench key that nobody has ${n}`)
}

/** The token of the browser session that user `id` has in every filled store; 1 to {@link fewestUsers}. */
export function sessionToken(id: number): string {
  return hash('sha256', `bench session ${id}`)
}

/**
 * The number of the `i`th good key, from 0 on. The keys whose number 100 divides are revoked; those that leave 1 have no
 * scope for anything but `/notifications`; all others are good, and may read and write.
 */
export function goodKey(i: number): number {
  return Math.floor(i / 98) * 100 + 2 + (i % 98)
}

/** How many of `keys` keys are good. */
export function goodKeysOf(keys: number): number {
  return Math.floor(keys / 100) * 98
}

/** `count` numbers of good keys of a store, spread over all of it, each once where there are as many. */
export function spreadKeys(keys: number, count: number, from = 0): readonly number[] {
  const good = goodKeysOf(keys)
  // A step that has no factor in common with 98 × 10^n, so that every key comes once before one comes again.
  const step = good > 1000 ? 611_953 % good : 1
  return Array.from({ length: count }, (_, i) => goodKey(((from + i) * step) % good))
}

/** Writes lines to a file, for the load generator to read. */
export async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  const file = createWriteStream(path)
  let part = ''
  for (const line of lines) {
    part += `${line}\n`
    if (part.length < 1_000_000) continue
    if (!file.write(part)) await once(file, 'drain')
    part = ''
  }
  file.end(part)
  await once(file, 'finish')
}
