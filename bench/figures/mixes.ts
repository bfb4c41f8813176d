/** Mixes: what a warm single key bears, beside traffic that is not all of one good key. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goodKey, keyText, spreadKeys, unknownKeyText, writeLines } from '../fill/keys.ts'
import { filledSqlite } from '../fill/sqlite.ts'
import { check, measured, warmUp } from '../measure/contestant.ts'
import type { Figure } from '../measure/figure.ts'
import { startHallpass } from '../measure/hallpass.ts'
import { interleaved, median, ratioOf } from '../measure/rounds.ts'
import { count, perSecond } from '../measure/words.ts'
import { currentSession } from './warm.ts'

const keys = 102_100
const header = 'User-Api-Key'

interface Mix {
  readonly name: string
  readonly refusedShare: number
  readonly lines: () => Iterable<string>
  /** Whether every key is used once before it is measured. */
  readonly used?: boolean
  /** Whether it is of the server whose limits count. */
  readonly limited?: boolean
}

/** One good key, and in the place of every hundredth another: `other(1)`, `other(2)`, … */
function* oneInHundred(other: (n: number) => string): Iterable<string> {
  for (let i = 1; i <= 500_000; i += 1) yield i % 100 === 0 ? other(i / 100) : keyText(goodKey(0))
}

function mixesOf(distinct: number): readonly Mix[] {
  const lines = (): Iterable<string> => spreadKeys(keys, distinct).map(keyText)
  return [
    {
      name: '1 % unknown keys, a new one each time',
      refusedShare: 0.01,
      lines: () => oneInHundred(unknownKeyText),
    },
    {
      name: '1 % revoked keys, of a thousand',
      refusedShare: 0.01,
      lines: () => oneInHundred((n) => keyText(((n % 1000) + 1) * 100)),
    },
    {
      name: '1 % keys without the scope, of a thousand',
      refusedShare: 0.01,
      lines: () => oneInHundred((n) => keyText((n % 1000) * 100 + 1)),
    },
    { name: `${count(distinct)} distinct keys`, refusedShare: 0, lines, used: true },
    {
      name: `${count(distinct)} distinct keys, their limits counted`,
      refusedShare: 0,
      lines,
      used: true,
      limited: true,
    },
  ]
}

export const mixed: Figure = {
  name: 'mixes',
  title: 'Traffic that is not one good key',
  notes: [
    'At 32 connections, `/session/current.json`, beside the same server asked with one good key alone; keys in a file, taken in turn.',
    'Distinct keys were each used once before the measurement, so they are warm as far as the cache holds them.',
  ],
  async measure(bench) {
    const data = await filledSqlite(bench.cache, keys, bench.progress)
    const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-mixes-'))
    const free = await startHallpass({ data })
    const limited = await startHallpass({ data, settings: roomyLimits })
    const distinct = bench.effort.quick ? 20_000 : 100_000
    const mixes = mixesOf(distinct)
    try {
      const warm = currentSession(free.url)
      await check(warm)
      await warmUp(bench, [warm])
      const runs: (() => Promise<number>)[] = []
      for (const [index, mix] of mixes.entries()) {
        const file = join(folder, String(index))
        await writeLines(file, mix.lines())
        const contestant = currentSession((mix.limited ? limited : free).url, '')
        let from = 0
        const run = async (): Promise<number> => {
          const load = { connections: 32, varying: { header, file }, from, refusedShare: mix.refusedShare }
          const result = await measured(bench, contestant, load)
          from += result.requests
          return result.perSecond
        }
        if (mix.used) {
          bench.progress(`mixes: using ${count(distinct)} keys once`)
          while (from < distinct) await run()
        }
        runs.push(run)
      }
      const [single = [], ...others] = await interleaved(bench.effort.rounds, [
        async () => (await measured(bench, warm, { connections: 32 })).perSecond,
        ...runs,
      ])
      return mixes.map(({ name }, index) => {
        const ours = others[index] ?? []
        return {
          figure: name,
          measured: perSecond(median(ours)),
          beside: `one good key ${perSecond(median(single))}`,
          ratio: ratioOf(ours, single),
        }
      })
    } finally {
      await limited.stop()
      await free.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** The keys keep their own limits of a minute and a day; all requests come from one address, whose limits are raised. */
const roomyLimits = {
  max_reqs_per_ip_per_minute: 1_000_000,
  max_reqs_per_ip_per_10_seconds: 1_000_000,
  max_user_api_reqs_per_minute: 1000,
}
