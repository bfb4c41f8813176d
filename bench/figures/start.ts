/** Start to first answer, memory, and what an installation brings. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goodKeysOf, keyText, spreadKeys, writeLines } from '../fill/keys.ts'
import { filledSqlite } from '../fill/sqlite.ts'
import { memoryOf, startChild } from '../measure/children.ts'
import { ask, measured } from '../measure/contestant.ts'
import type { Bench, Figure, Row } from '../measure/figure.ts'
import { freePort, hallpassCommand, startHallpass } from '../measure/hallpass.ts'
import { type InstalledPackage, installHallpass, installPeer } from '../measure/installed.ts'
import { held, interleaved, median, ratioOf } from '../measure/rounds.ts'
import { count, short } from '../measure/words.ts'
import { currentSession } from './warm.ts'

export const start: Figure = {
  name: 'start',
  title: 'Start, memory, installation',
  notes: [
    'From starting the process to the first 200 from /healthz on an empty database, `hallpass serve --no-forum`; beside it a bare `node:http` server. *Installed* is the package as npm installs it, compiled; *clone* is the repository, whose types Node strips. Both find what Node compiled at the start before, as any but the very first start does.',
    'Memory is resident memory (VmRSS), idle: two seconds after the first answer.',
  ],
  async measure(bench) {
    const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-start-'))
    try {
      if (bench.effort.quick) return await startsAndMemory(bench, folder, undefined)
      bench.progress('start: packing and installing')
      const installed = await installHallpass(join(folder, 'hallpass'))
      const peer = await installPeer(join(folder, 'peer'))
      return [
        ...(await startsAndMemory(bench, folder, installed.command)),
        await afterMillionKeys(bench),
        installation(installed, peer),
      ]
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

interface Start {
  /** Until the first answer, in milliseconds. */
  readonly ms: number
  /** Once idle, in MiB. */
  readonly memory: number
}

async function startsAndMemory(bench: Bench, folder: string, installed: string | undefined): Promise<Row[]> {
  bench.progress('start: starting')
  let data = 0
  const hallpass = (command: string) => async (): Promise<Start> => {
    data += 1
    const fresh = join(folder, `data-${data}`)
    mkdirSync(fresh)
    return startOf(
      (port) => [command, 'serve', '--no-forum', '--data', fresh, '--port', String(port)],
      '/healthz',
    )
  }
  const bareServer = new URL('../servers/upstream.ts', import.meta.url).pathname
  const contestants = [
    { name: 'clone', run: hallpass(hallpassCommand) },
    ...(installed === undefined ? [] : [{ name: 'installed', run: hallpass(installed) }]),
  ]
  const [bare = [], ...ours] = await interleaved(bench.effort.rounds, [
    () => startOf((port) => [bareServer, String(port)], '/'),
    ...contestants.map(({ run }) => run),
  ])
  const ms = (starts: readonly Start[]): number[] => starts.map((start) => start.ms)
  const memory = (starts: readonly Start[]): number[] => starts.map((start) => start.memory)
  const starts = contestants.map(({ name }, index): Row => {
    const reached = median(ms(ours[index] ?? []))
    return {
      figure: `start to first answer, ${name}`,
      measured: `${short(reached)} ms`,
      beside: `bare node:http ${short(median(ms(bare)))} ms`,
      ratio: ratioOf(ms(ours[index] ?? []), ms(bare)),
      ...held(reached, { atMost: 500, unit: ' ms' }),
    }
  })
  const idle = contestants.map(({ name }, index): Row => {
    const reached = median(memory(ours[index] ?? []))
    return {
      figure: `idle memory, ${name}`,
      measured: `${short(reached)} MiB`,
      beside: `bare node:http ${short(median(memory(bare)))} MiB`,
      ratio: ratioOf(memory(ours[index] ?? []), memory(bare)),
      ...held(reached, { atMost: 120, unit: ' MiB' }),
    }
  })
  return [...starts, ...idle]
}

async function startOf(args: (port: number) => readonly string[], path: string): Promise<Start> {
  const port = await freePort()
  const startedAt = performance.now()
  const child = startChild(process.execPath, args(port), { role: 'measured' })
  try {
    for (;;) {
      const answer = await ask(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
      if (answer?.status === 200) break
      if (performance.now() - startedAt > 60_000) throw new Error(`no answer:\n${child.output()}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    const ms = performance.now() - startedAt
    await new Promise((resolve) => setTimeout(resolve, 2000))
    return { ms, memory: memoryOf(child.pid) ?? Number.NaN }
  } finally {
    await child.stop()
  }
}

/** Presents a million keys once, so that the cache has been full and over. */
async function afterMillionKeys(bench: Bench): Promise<Row> {
  const keys = 1_021_000
  const used = goodKeysOf(keys)
  const data = await filledSqlite(bench.cache, keys, bench.progress)
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-keys-'))
  const hallpass = await startHallpass({ data })
  try {
    const file = join(folder, 'keys')
    await writeLines(file, spreadKeys(keys, used).map(keyText))
    const before = memoryOf(hallpass.child.pid) ?? Number.NaN
    let from = 0
    while (from < used) {
      bench.progress(`start: ${count(from)} of ${count(used)} keys used`)
      const varying = { header: 'User-Api-Key', file }
      const load = { connections: 32, varying, from, seconds: 10 }
      from += (await measured(bench, currentSession(hallpass.url, ''), load)).requests
    }
    const after = memoryOf(hallpass.child.pid) ?? Number.NaN
    return {
      figure: `memory with ${count(used)} keys used`,
      measured: `${short(after)} MiB`,
      beside: `before ${short(before)} MiB`,
      ratio: { median: after / before, min: after / before, max: after / before },
    }
  } finally {
    await hallpass.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function installation(ours: InstalledPackage, peer: InstalledPackage): Row {
  const words = ({ bytes, packages }: InstalledPackage): string =>
    `${short(bytes / 2 ** 20)} MiB, ${count(packages)} packages`
  const ratio = ours.bytes / peer.bytes
  return {
    figure: `installation of a package of ${short((ours.packedBytes ?? 0) / 2 ** 20)} MiB, with what it needs`,
    measured: words(ours),
    beside: `better-auth with @better-auth/api-key ${words(peer)}`,
    ratio: { median: ratio, min: ratio, max: ratio },
  }
}
