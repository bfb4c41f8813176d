/** One process, two, four: `hallpass serve --workers`. */
import { availableParallelism } from 'node:os'
import { filledSqlite } from '../fill/sqlite.ts'
import { ask, type Contestant, check, measured, warmUp } from '../measure/contestant.ts'
import type { Figure, Row } from '../measure/figure.ts'
import { help, startHallpass } from '../measure/hallpass.ts'
import { bareHttp } from '../measure/peers.ts'
import { interleaved, median, ratioOf } from '../measure/rounds.ts'
import { perSecond } from '../measure/words.ts'
import { currentSession } from './warm.ts'

const keys = 1000
const counts = [1, 2, 4]

export const processes: Figure = {
  name: 'processes',
  title: 'Several processes on one machine',
  notes: [
    `64 connections, one good key; nothing is pinned, and the load generator takes one of the ${availableParallelism()} processors too. What the bare server (\`node:cluster\`) gains by a second process and a fourth is all that this machine has to give.`,
  ],
  async measure(bench) {
    if (!help().includes('--workers')) throw new Error('this hallpass serve has no --workers')
    const data = await filledSqlite(bench.cache, keys, bench.progress)
    const stops: (() => Promise<void>)[] = []
    try {
      const ours: Contestant[] = []
      const theirs: Contestant[] = []
      for (const workers of counts) {
        const flags = ['--workers', String(workers)]
        const server = await startHallpass({ data, flags, role: 'free' })
        stops.push(server.stop)
        const contestant = currentSession(server.url)
        ours.push(contestant)
        const { body } = await ask(contestant.url, { headers: contestant.headers })
        const key = contestant.headers['user-api-key'] ?? ''
        const bare = await bareHttp(keys, key, body, { processes: workers, role: 'free' })
        stops.push(bare.stop)
        theirs.push(bare.contestant)
      }
      const contestants = [...ours, ...theirs]
      for (const contestant of contestants) await check(contestant)
      // Each process compiles for itself, and of several each gets a part of the requests only.
      for (const [index, count] of [...counts, ...counts].entries()) {
        const contestant = contestants[index]
        if (contestant)
          await warmUp(
            bench,
            Array.from({ length: 2 * count }, () => contestant),
          )
      }
      const load = { connections: 64, anywhere: true }
      const rounds = await interleaved(
        bench.effort.rounds,
        contestants.map((contestant) => async () => (await measured(bench, contestant, load)).perSecond),
      )
      return [
        ...rowsOf('`hallpass serve --workers`', rounds.slice(0, counts.length)),
        ...rowsOf('bare `node:http`', rounds.slice(counts.length)),
      ]
    } finally {
      for (const stop of stops) await stop()
    }
  },
}

function rowsOf(name: string, [one = [], ...more]: readonly (readonly number[])[]): readonly Row[] {
  return more.map((rounds, index) => ({
    figure: `${name}, ${counts[index + 1]} processes`,
    measured: perSecond(median(rounds)),
    beside: `one process ${perSecond(median(one))}`,
    ratio: ratioOf(rounds, one),
  }))
}
