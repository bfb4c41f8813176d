/** Cold verification, issuing, size and memory with 1,000, 100,000 and 10,000,000 keys in the store. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { fillPostgres, isFilled, postgresName } from '../fill/postgres.ts'
import { filledSqlite } from '../fill/sqlite.ts'
import type { FilledStore, StoreRounds } from '../inside/stores.ts'
import { memoryOf, startScript } from '../measure/children.ts'
import { check } from '../measure/contestant.ts'
import type { Bench, Figure, Row } from '../measure/figure.ts'
import { startHallpass } from '../measure/hallpass.ts'
import { startPostgres } from '../measure/postgres.ts'
import { readThrough } from '../measure/read-through.ts'
import { held, median, ratioOf } from '../measure/rounds.ts'
import { count, short } from '../measure/words.ts'
import { currentSession } from './warm.ts'

/** A store with what is known of it beside the measurements. */
interface Subject {
  readonly store: FilledStore
  readonly bytes: number
  /** Resident memory of `hallpass serve` on it after a first request, in MiB. */
  readonly memory: number | undefined
}

const notes = [
  'In process, 32 at a time; a cold key is one that this Hallpass has not seen, chosen from all over the store. What is read for one was brought into memory before, as far as there is room: SQLite’s file into the system’s, of PostgreSQL the tables and indexes of a key into its own (`pg_prewarm`), a quarter of the machine’s. So the disk is not measured. Before the first round twenty times as many keys as in one were presented to each.',
  'Processor time is of the process that Hallpass is in; PostgreSQL’s own is not in it. It hardly changes when the machine is busy.',
  'Each key has a client of its own and two scopes; each user has ten keys. The ratio is to 1,000 keys in the same database; of times, less is better.',
  'Size is of the whole database, divided by its keys; memory is of `hallpass serve` (on PostgreSQL without the server), after a first request.',
]

export const sqliteStores: Figure = {
  name: 'stores-sqlite',
  title: 'Keys in the store, SQLite',
  notes,
  async measure(bench) {
    const subjects = await sqliteSubjects(bench, sizesOf(bench))
    for (const { store } of subjects) if ('path' in store) readThrough(store.path)
    return rowsOf(subjects, await measureInside(bench, subjects))
  },
}

export const postgresStores: Figure = {
  name: 'stores-postgres',
  title: 'Keys in the store, PostgreSQL',
  notes,
  measure: (bench) => onPostgres(bench, sizesOf(bench)),
}

function sizesOf({ tenMillion }: Bench): readonly number[] {
  return [1000, 100_000, ...(tenMillion ? [10_000_000] : [])]
}

async function sqliteSubjects(bench: Bench, sizes: readonly number[]): Promise<readonly Subject[]> {
  const subjects: Subject[] = []
  for (const keys of sizes) {
    const data = await filledSqlite(bench.cache, keys, bench.progress)
    const path = join(data, 'hallpass.sqlite')
    subjects.push({
      store: { keys, path },
      bytes: statSync(path).size,
      memory: await memoryOn({ data }),
    })
  }
  return subjects
}

async function onPostgres(bench: Bench, sizes: readonly number[]): Promise<readonly Row[]> {
  const filling = await startPostgres(bench.cache, 'filling')
  try {
    for (const keys of sizes) {
      if (!(await isFilled(filling, keys))) await fillPostgres(filling, keys, bench.progress)
    }
  } finally {
    await filling.stop()
  }
  const server = await startPostgres(bench.cache, 'measuring')
  try {
    const subjects: Subject[] = []
    for (const keys of sizes) {
      let bytes = 0
      const url = server.url(postgresName(keys))
      await server.run(postgresName(keys), async (client) => {
        const { rows } = await client.query<{ bytes: string }>(
          'select pg_database_size(current_database()) as bytes',
        )
        bytes = Number(rows[0]?.bytes)
      })
      subjects.push({ store: { keys, url }, bytes, memory: await memoryOn({ databaseUrl: url }) })
    }
    for (const keys of sizes) await server.run(postgresName(keys), readRelations)
    return rowsOf(subjects, await measureInside(bench, subjects))
  } finally {
    await server.stop()
  }
}

/** Brings the tables and indexes that a cold key is found by into PostgreSQL's memory. */
async function readRelations(client: pg.Client): Promise<void> {
  await client.query('create extension if not exists pg_prewarm')
  await client.query('select pg_prewarm(name::regclass) from unnest($1::text[]) as name', [
    [
      'users',
      'users_pkey',
      'user_api_keys',
      'user_api_keys_key_hash_key',
      'user_api_key_clients',
      'user_api_key_clients_pkey',
      'user_api_key_scopes',
      'user_api_key_scopes_key',
    ],
  ])
}

async function memoryOn(where: Parameters<typeof startHallpass>[0]): Promise<number | undefined> {
  const hallpass = await startHallpass(where)
  try {
    await check(currentSession(hallpass.url))
    return memoryOf(hallpass.child.pid)
  } finally {
    await hallpass.stop()
  }
}

async function measureInside(bench: Bench, subjects: readonly Subject[]): Promise<readonly StoreRounds[]> {
  const { quick, rounds } = bench.effort
  const list = JSON.stringify(subjects.map(({ store }) => store))
  bench.progress('stores: cold keys and issuing')
  const child = startScript(
    new URL('../inside/stores.ts', import.meta.url),
    [list, String(rounds), quick ? '2' : '5', quick ? '64' : '320'],
    { role: 'measured' },
  )
  try {
    return JSON.parse(await child.line('STORES')) as readonly StoreRounds[]
  } finally {
    await child.stop()
  }
}

function rowsOf(subjects: readonly Subject[], results: readonly StoreRounds[]): readonly Row[] {
  const [smallest, ...larger] = subjects
  const [first, ...others] = results
  if (!smallest || !first) return []
  const row = (what: keyof StoreRounds, words: string, index: number, atMost?: number): Row => {
    const ours = others[index]?.[what] ?? []
    const ratio = ratioOf(ours, first[what])
    return {
      figure: `${words}, ${count(larger[index]?.store.keys ?? 0)} keys`,
      measured: `${short(median(ours))} µs`,
      beside: `1,000 keys ${short(median(first[what]))} µs`,
      ratio,
      ...held(ratio.median, atMost === undefined ? undefined : { atMost }),
    }
  }
  const last = larger.length - 1
  const cold = larger.map((_, index) => row('cold', 'a cold key', index, index === last ? 1.5 : undefined))
  const processor = larger.map((_, index) => row('coldProcessor', 'processor time of a cold key', index))
  const issuing = larger.map((_, index) => row('issuing', 'issuing', index))
  // Beside nothing: the smallest store grows most, for its size, by what is issued in it run after run.
  const size = larger.map(
    ({ store, bytes }): Row => ({
      figure: `size per key, ${count(store.keys)} keys`,
      measured: `${short(bytes / store.keys)} bytes`,
      beside: '–',
    }),
  )
  const memory = larger.flatMap(({ store, memory: ours }): readonly Row[] => {
    const least = smallest.memory
    if (ours === undefined || least === undefined) return []
    return [
      {
        figure: `memory, ${count(store.keys)} keys`,
        measured: `${short(ours)} MiB`,
        beside: `1,000 keys ${short(least)} MiB`,
        ratio: once(ours / least),
      },
    ]
  })
  return [...cold, ...processor, ...issuing, ...size, ...memory]
}

/** The ratio of what is measured once. */
function once(value: number): NonNullable<Row['ratio']> {
  return { median: value, min: value, max: value }
}
