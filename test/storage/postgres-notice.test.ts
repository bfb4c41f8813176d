import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CacheChange } from '../../src/domain/changes.ts'
import { notice, readNotice } from '../../src/storage/postgres/notice.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { createStore } from '../../src/storage/store.ts'
import { freshPostgresUrl } from '../fresh-postgres.ts'

const by = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'
const changes: readonly CacheChange[] = [
  { kind: 'key', value: 'a'.repeat(64) },
  { kind: 'client', value: 'one two\n"three"' },
]

describe('notice', () => {
  test('tells who commits, and what is to be forgotten', () => {
    assert.deepEqual(readNotice(notice(by, changes)), { by, changes })
  })

  test('leaves out what is too long for PostgreSQL', () => {
    const long: CacheChange = { kind: 'client', value: 'é'.repeat(4000) }
    assert.equal(notice(by, [long]), by)
  })

  for (const [what, text] of [
    ['of an older version', by],
    ['that is no JSON', `${by} [["key`],
    ['that is no list', `${by} {"kind":"key"}`],
    ['of other things', `${by} [null,["key"],["key",1],["key","a","b"]]`],
  ] as const) {
    test(`takes nothing from one ${what}`, () => {
      assert.deepEqual(readNotice(text), { by, changes: [] })
    })
  }
})

describe('a PostgreSQL store that is watched', () => {
  test('tells with a commit of another what it changed, and nothing of its own', async (t) => {
    const url = await freshPostgresUrl()
    const [store, other] = await Promise.all([openStore(url), openStore(url)])
    t.after(() => Promise.all([store.close(), other.close()]))
    const told: (readonly CacheChange[] | undefined)[] = []
    const heard = Promise.withResolvers<void>()
    const onCommit = (what?: readonly CacheChange[]): void => {
      told.push(what)
      heard.resolve()
    }
    await store.watch({ onCommit, onLost: () => {} })
    const append = (target: typeof store, sequence: number, value: string): Promise<void> =>
      target.transaction((session) =>
        session.changes.append({ sequence, at: 0, origin: 'node', changes: [{ kind: 'key', value }] }),
      )
    await append(store, 1, 'own')
    await append(other, 2, 'of the other')
    await heard.promise
    assert.deepEqual(told, [[{ kind: 'key', value: 'of the other' }]])
  })
})

async function openStore(url: string): Promise<Awaited<ReturnType<typeof createStore>>> {
  return createStore(await openPostgres({ url }))
}
