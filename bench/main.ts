/**
 * The benchmarks: `npm run bench`, or `npm run bench -- warm issuing` for some of the figures. `--quick` measures for
 * shorter; `--write` puts the figures into docs/performance.md; `--without-ten-million` leaves out the largest stores.
 *
 * Start reading here. `figures/` has what is measured, one file a figure; `measure/` how; `servers/` the programs that
 * Hallpass is measured beside; `peers/` those of them that need this folder's own packages; `inside/` the programs that
 * measure without HTTP; `fill/` what fills a store. The root's package.json and Node are used for all else.
 */
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { figures } from './figures/all.ts'
import { pinning } from './measure/children.ts'
import type { Bench, Figure, Row } from './measure/figure.ts'
import { chooseLoader } from './measure/load.ts'
import { machine, versions } from './measure/machine.ts'
import { asText } from './measure/report.ts'
import { writeFigures } from './measure/write.ts'

const { values: flags, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    'without-ten-million': { type: 'boolean', default: false },
  },
})
const unknown = words.filter((word) => !figures.some(({ name }) => name.startsWith(word)))
if (unknown.length > 0) {
  const names = figures.map(({ name }) => name).join(', ')
  console.error(`no figure is named ${unknown.join(', ')}; there are: ${names}`)
  process.exit(1)
}
// A ctrl-c ends the processes of the run too: see measure/children.ts.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const cache = fileURLToPath(new URL('.cache', import.meta.url))
mkdirSync(cache, { recursive: true })
const { quick } = flags
const bench: Bench = {
  effort: quick ? { quick, rounds: 3, seconds: 1 } : { quick, rounds: 5, seconds: 4 },
  load: chooseLoader(),
  cache,
  tenMillion: !quick && !flags['without-ten-million'],
  progress: (text) => process.stderr.write(`bench: ${text}\n`),
}
const circumstances = [
  `${new Date().toISOString().slice(0, 10)}, ${machine()}; ${versions()}.`,
  `Load by ${bench.load.name}; ${bench.effort.rounds} rounds of ${bench.effort.seconds} s in turn; ${pinning()}.`,
].join(' ')
console.log(circumstances)

const chosen = figures.filter(({ name }) => words.length === 0 || words.some((word) => name.startsWith(word)))
for (const figure of chosen) await run(figure)
process.exit()

async function run(figure: Figure): Promise<void> {
  bench.progress(figure.name)
  const startedAt = performance.now()
  let rows: readonly Row[]
  try {
    rows = await figure.measure(bench)
  } catch (error) {
    console.error(`\n${figure.name} failed:`, error)
    process.exitCode = 1
    return
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  console.log(`\n${figure.title} (${figure.name}, ${seconds} s)\n\n${asText(rows)}`)
  for (const note of figure.notes) console.log(`- ${note}`)
  if (flags.write) writeFigures(figure, rows, circumstances)
}
