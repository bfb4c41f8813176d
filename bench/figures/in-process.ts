/** `authenticate()` in process: time and allocation of a call, beside the hash that it cannot do without. */
import { filledSqlite } from '../fill/sqlite.ts'
import type { Calls } from '../inside/authenticate.ts'
import { startScript } from '../measure/children.ts'
import type { Figure } from '../measure/figure.ts'
import { held, median, ratioOf } from '../measure/rounds.ts'
import { short } from '../measure/words.ts'

export const inProcess: Figure = {
  name: 'in-process',
  title: '`authenticate()` in process',
  notes: [
    'A warm key, one `Request` that is made before; a call is awaited before the next begins. Bytes are what the JavaScript heap was asked for (`total_allocated_bytes` of `v8.getHeapStatistics()`), per call.',
  ],
  async measure(bench) {
    const data = await filledSqlite(bench.cache, 1000, bench.progress)
    const child = startScript(
      new URL('../inside/authenticate.ts', import.meta.url),
      [data, String(bench.effort.rounds), String(bench.effort.quick ? 100_000 : 400_000)],
      { role: 'measured' },
    )
    try {
      const { ours, hash } = JSON.parse(await child.line('CALLS')) as Calls
      const nanoseconds = median(ours.map((round) => round.nanoseconds))
      const bytes = median(ours.map((round) => round.bytes))
      const hashNanoseconds = median(hash.map((round) => round.nanoseconds))
      const hashBytes = median(hash.map((round) => round.bytes))
      const ratio = (of: 'nanoseconds' | 'bytes') =>
        ratioOf(
          ours.map((round) => round[of]),
          hash.map((round) => round[of]),
        )
      return [
        {
          figure: '`authenticate()`, time of a call',
          measured: `${short(nanoseconds)} ns`,
          beside: `\`crypto.hash\` ${short(hashNanoseconds)} ns`,
          ratio: ratio('nanoseconds'),
          ...held(nanoseconds / 1000, { atMost: 5, unit: ' µs' }),
        },
        {
          figure: '`authenticate()`, allocated by a call',
          measured: `${short(bytes)} bytes`,
          beside: `\`crypto.hash\` ${short(hashBytes)} bytes`,
          ratio: ratio('bytes'),
        },
      ]
    } finally {
      await child.stop()
    }
  },
}
