/** From the answer to a revocation to the first refusal: in the same process, another process, another node. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goodKey, goodKeysOf, keyText, spreadKeys, writeLines } from '../fill/keys.ts'
import { fillPostgres, isFilled, postgresName } from '../fill/postgres.ts'
import { filledSqlite } from '../fill/sqlite.ts'
import type { Revocations } from '../inside/revocations.ts'
import { startScript } from '../measure/children.ts'
import { check } from '../measure/contestant.ts'
import type { Bench, Figure, Row } from '../measure/figure.ts'
import { type RunningHallpass, startHallpass } from '../measure/hallpass.ts'
import { startPostgres } from '../measure/postgres.ts'
import { type Budget, held, median, quantile } from '../measure/rounds.ts'
import { count, short } from '../measure/words.ts'
import { currentSession } from './warm.ts'

const keys = 100_000
const loadConnections = 4

/** The first so many are told apart: what revokes, hears and refuses is compiled then, and connections are made. */
const warmingUp = 40

const notes = [
  `Under the load of ${loadConnections} connections that ask without a pause with another key. The time runs from the moment the revocation was answered until the first refusal has arrived, so it holds the time of one request.`,
  'While a key is being revoked it is presented without a pause; four keys at a time.',
  `Warm means compiled, as in the other figures: the first ${warmingUp} revocations after the start have a row of their own.`,
]

export const revocation: Figure = {
  name: 'revocation',
  title: 'From a revocation to the first refusal, on SQLite',
  notes,
  measure: (bench) => inFolder(bench, (folder, file) => onSqlite(bench, join(folder, 'data'), file)),
}

export const revocationElsewhere: Figure = {
  name: 'revocation-postgres',
  title: 'From a revocation to the first refusal, on another node',
  notes,
  measure: (bench) => inFolder(bench, (_folder, file) => onPostgres(bench, file('other'))),
}

type Files = (name: 'same' | 'other') => string

/** A folder with the keys to revoke, in a file for the same process and in one for another. */
async function inFolder(
  bench: Bench,
  measure: (folder: string, file: Files) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-revocation-'))
  try {
    const revocations = bench.effort.quick ? 200 : 1000
    const file: Files = (name) => join(folder, name)
    const each = revocations + warmingUp
    const texts = spreadKeys(keys, each * 2).map(keyText)
    await writeLines(file('same'), texts.slice(0, each))
    await writeLines(file('other'), texts.slice(each))
    return await measure(folder, file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onSqlite(bench: Bench, data: string, file: Files): Promise<readonly Row[]> {
  cpSync(await filledSqlite(bench.cache, keys, bench.progress), data, { recursive: true })
  const first = await startHallpass({ data })
  const second = await startHallpass({ data })
  try {
    const same = await revokeAll(bench, first, first, file('same'))
    const other = await revokeAll(bench, first, second, file('other'))
    return [
      ...rows('the same process', same, undefined, true),
      ...rows('another process on the same SQLite file', other, { atMost: 50, unit: ' ms' }),
    ]
  } finally {
    await first.stop()
    await second.stop()
  }
}

async function onPostgres(bench: Bench, file: string): Promise<readonly Row[]> {
  const filling = await startPostgres(bench.cache, 'filling')
  try {
    if (!(await isFilled(filling, keys))) await fillPostgres(filling, keys, bench.progress)
  } finally {
    await filling.stop()
  }
  const server = await startPostgres(bench.cache, 'measuring')
  const copy = 'bench_revocation'
  const drop = (): Promise<void> =>
    server.run('postgres', async (client) => {
      await client.query(`drop database if exists ${copy} with (force)`)
    })
  const nodes: RunningHallpass[] = []
  try {
    await drop()
    await server.run('postgres', async (client) => {
      await client.query(`create database ${copy} template ${postgresName(keys)}`)
    })
    for (let node = 0; node < 2; node += 1) nodes.push(await startHallpass({ databaseUrl: server.url(copy) }))
    const [first, second] = nodes
    if (!first || !second) return []
    const other = await revokeAll(bench, first, second, file)
    return rows('another node on the same PostgreSQL', other, { atMost: 50, unit: ' ms' })
  } finally {
    for (const node of nodes) await node.stop()
    await drop()
    await server.stop()
  }
}

async function revokeAll(
  bench: Bench,
  revokeAt: RunningHallpass,
  askAt: RunningHallpass,
  file: string,
): Promise<Revocations> {
  bench.progress('revocation: revoking under load')
  const busy = currentSession(askAt.url, keyText(goodKey(goodKeysOf(keys) - 1)))
  await check(busy)
  const child = startScript(
    new URL('../inside/revocations.ts', import.meta.url),
    [revokeAt.url, askAt.url, file],
    { role: 'load' },
  )
  let isOver = false
  const load = async (): Promise<void> => {
    const asked = { ...busy, connections: loadConnections, tellsRefusals: true }
    while (!isOver) await bench.load.run({ ...asked, seconds: 1 })
  }
  const loading = load()
  try {
    return JSON.parse(await child.line('REVOCATIONS')) as Revocations
  } finally {
    isOver = true
    await loading
    await child.stop()
  }
}

function rows(
  where: string,
  { lagsMs, acceptedAfter, requestsMs }: Revocations,
  p99Budget: Budget | undefined,
  isSameNode = false,
): readonly Row[] {
  const [first, warm] = [lagsMs.slice(0, warmingUp), lagsMs.slice(warmingUp)]
  const p99 = quantile(warm, 0.99)
  const times = [median(warm), p99, Math.max(...warm)].map(short)
  const beside = `a request p50 ${short(median(requestsMs))} ms`
  const lag: Row = {
    figure: `${where}, ${count(warm.length)} revocations: p50, p99, max`,
    measured: `${times.join(', ')} ms`,
    beside,
    ...(p99Budget ? { ...held(p99, p99Budget), budget: 'p99 ≤ 50 ms' } : {}),
  }
  const cold: Row = {
    figure: `${where}, the first ${warmingUp}: p50, max`,
    measured: `${[median(first), Math.max(...first)].map(short).join(', ')} ms`,
    beside: '–',
  }
  if (!isSameNode) return [lag, cold]
  const accepted: Row = {
    figure: `${where}: requests let in that were sent after the answer`,
    measured: count(acceptedAfter),
    beside: '–',
    budget: '0',
    met: acceptedAfter === 0,
  }
  return [accepted, lag, cold]
}
