/** One process, two, four: `hallpass serve --workers`. */
import { availableParallelism } from 'node:os'
import { filledSqlite } from '../fill/sqlite.ts'
import { check, measured, warmUp } from '../measure/contestant.ts'
import type { Figure } from '../measure/figure.ts'
import { help, type RunningHallpass, startHallpass } from '../measure/hallpass.ts'
import { interleaved, median, ratioOf } from '../measure/rounds.ts'
import { perSecond } from '../measure/words.ts'
import { currentSession } from './warm.ts'

export const processes: Figure = {
  name: 'processes',
  title: 'Several processes on one machine',
  notes: [
    `64 connections, one good key; nothing is pinned, and the load generator takes a processor of the ${availableParallelism()} too: with more processes than the rest of them there is nothing to be had.`,
  ],
  async measure(bench) {
    if (!help().includes('--workers')) throw new Error('this hallpass serve has no --workers')
    const data = await filledSqlite(bench.cache, 1000, bench.progress)
    const servers: RunningHallpass[] = []
    try {
      const counts = [1, 2, 4]
      for (const workers of counts) {
        servers.push(await startHallpass({ data, flags: ['--workers', String(workers)], role: 'free' }))
      }
      const contestants = servers.map(({ url }) => currentSession(url))
      for (const contestant of contestants) await check(contestant)
      await warmUp(bench, contestants)
      const load = { connections: 64, anywhere: true }
      const [one = [], ...more] = await interleaved(
        bench.effort.rounds,
        contestants.map((contestant) => async () => (await measured(bench, contestant, load)).perSecond),
      )
      return more.map((rounds, index) => ({
        figure: `\`/session/current.json\`, ${counts[index + 1]} processes`,
        measured: perSecond(median(rounds)),
        beside: `one process ${perSecond(median(one))}`,
        ratio: ratioOf(rounds, one),
      }))
    } finally {
      for (const server of servers) await server.stop()
    }
  },
}
