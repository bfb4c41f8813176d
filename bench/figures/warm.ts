/** Warm verification over HTTP: one key that was seen before, at 1, 32 and 256 connections. */

import { goodKey, keyText, unknownKeyText } from '../fill/keys.ts'
import { filledSqlite } from '../fill/sqlite.ts'
import {
  ask,
  type Contestant,
  check,
  checkRefuses,
  type Measured,
  measured,
  warmUp,
} from '../measure/contestant.ts'
import type { Figure, Row } from '../measure/figure.ts'
import { startHallpass } from '../measure/hallpass.ts'
import {
  bareHttp,
  bareProxy,
  betterAuth,
  nginx,
  oidcIntrospection,
  plainHeaders,
  upstreamApplication,
} from '../measure/peers.ts'
import { type Budget, held, interleaved, median, ratioOf } from '../measure/rounds.ts'
import { perSecond, short } from '../measure/words.ts'

const keys = 1000
const key = keyText(goodKey(0))
const withKey = { ...plainHeaders, 'user-api-key': key }

export const warm: Figure = {
  name: 'warm',
  title: 'A key seen before, over HTTP',
  notes: [
    'One process answers requests with one key, whose limits are off: no key may make as many requests.',
    'The bare server hashes the key, looks it up in a Map, and answers with the same body; it knows nothing of scopes, owners, expiry or revocation.',
    'Processor time is of the whole process, garbage collection and the system’s work for it included, by /proc. It hardly changes when the machine is busy with something else, so it is the figure to trust where the rounds lie far apart.',
    'Better Auth and oidc-provider are asked what they would be asked in this place: `verifyApiKey` with its update put off, and introspection from memory.',
  ],
  async measure(bench) {
    const data = await filledSqlite(bench.cache, keys, bench.progress)
    const upstream = await upstreamApplication()
    const hallpass = await startHallpass({ data })
    const gateway = await startHallpass({ upstream: upstream.url, data })
    const body = (await ask(`${hallpass.url}/session/current.json`, { headers: withKey })).body
    const peers = {
      bare: await bareHttp(keys, key, body),
      bareEmpty: await bareHttp(keys, key, ''),
      proxy: await bareProxy(upstream.url, '/topics'),
      betterAuth: await betterAuth(),
      oidc: await oidcIntrospection(),
      nginx: await nginx(keys, key),
    }
    const session: Contestant = {
      name: '`/session/current.json`',
      url: `${hallpass.url}/session/current.json`,
      headers: withKey,
      answers: '"current_user"',
      pid: hallpass.child.pid,
    }
    const forwardAuth: Contestant = {
      name: 'forward-auth',
      url: `${hallpass.url}/hallpass/forward-auth`,
      headers: { ...withKey, 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/topics' },
      answers: '"x-hallpass-user":"user',
      pid: hallpass.child.pid,
    }
    const hop: Contestant = {
      name: 'gateway hop',
      url: `${gateway.url}/topics`,
      headers: withKey,
      answers: 'What the application has to say',
      pid: gateway.child.pid,
    }
    const peerOf = (name: keyof typeof peers): Contestant => peers[name].contestant
    try {
      await checkAll(
        [session, forwardAuth, hop],
        Object.values(peers).map((peer) => peer.contestant),
      )
      const pairs: readonly Pair[] = [
        { ours: session, theirs: peerOf('bare'), budget: { atLeast: 0.8 }, showsProcessorTime: true },
        { ours: session, theirs: peerOf('betterAuth'), budget: { atLeast: 10 } },
        { ours: session, theirs: peerOf('oidc'), budget: { atLeast: 4 } },
        {
          ours: forwardAuth,
          theirs: peerOf('bareEmpty'),
          budget: { atLeast: 0.8 },
          showsProcessorTime: true,
        },
        { ours: forwardAuth, theirs: peerOf('nginx') },
        { ours: forwardAuth, theirs: peerOf('betterAuth'), budget: { atLeast: 10 } },
        { ours: forwardAuth, theirs: peerOf('oidc'), budget: { atLeast: 4 } },
        { ours: hop, theirs: peerOf('proxy'), showsProcessorTime: true },
      ]
      const all = [...new Set(pairs.flatMap(({ ours, theirs }) => [ours, theirs]))]
      await warmUp(bench, all)
      const rows: Row[] = []
      for (const connections of [32, 1, 256]) {
        bench.progress(`warm: ${connections} connections`)
        const results = await interleaved(
          // The budgets are for 32 connections; in a hurry the others are measured once.
          bench.effort.quick && connections !== 32 ? 1 : bench.effort.rounds,
          all.map((contestant) => () => measured(bench, contestant, { connections })),
        )
        const of = (contestant: Contestant): readonly Measured[] => results[all.indexOf(contestant)] ?? []
        for (const pair of pairs) rows.push(...rowsOf(pair, connections, of(pair.ours), of(pair.theirs)))
      }
      return rows
    } finally {
      for (const peer of Object.values(peers)) await peer.stop()
      await gateway.stop()
      await hallpass.stop()
      await upstream.child.stop()
    }
  },
}

/** Two who are held against each other. */
interface Pair {
  readonly ours: Contestant
  readonly theirs: Contestant
  /** At 32 connections. */
  readonly budget?: Budget
  /** Whether a line on processor time follows, at 32 connections. */
  readonly showsProcessorTime?: boolean
}

function rowsOf(
  { ours, theirs, budget, showsProcessorTime }: Pair,
  connections: number,
  our: readonly Measured[],
  their: readonly Measured[],
): readonly Row[] {
  const at32 = connections === 32
  const rate = (rounds: readonly Measured[]): number[] => rounds.map((round) => round.perSecond)
  const time = (rounds: readonly Measured[]): number[] => rounds.map((round) => round.processorMicroseconds)
  const ratio = ratioOf(rate(our), rate(their))
  const borne: Row = {
    figure: `${ours.name}, ${connections} connection${connections === 1 ? '' : 's'}`,
    measured: perSecond(median(rate(our))),
    beside: `${theirs.name} ${perSecond(median(rate(their)))}`,
    ratio,
    ...held(ratio.median, at32 ? budget : undefined),
  }
  if (!at32 || !showsProcessorTime) return [borne]
  const used: Row = {
    figure: `${ours.name}, processor time of a request`,
    measured: `${short(median(time(our)))} µs`,
    beside: `${theirs.name} ${short(median(time(their)))} µs`,
    ratio: ratioOf(time(our), time(their)),
  }
  return [borne, used]
}

async function checkAll(ours: readonly Contestant[], peers: readonly Contestant[]): Promise<void> {
  for (const contestant of [...ours, ...peers]) await check(contestant)
  const wrong = unknownKeyText(1)
  for (const contestant of [...ours, ...peers.filter(({ headers }) => 'user-api-key' in headers)]) {
    await checkRefuses(contestant, 'user-api-key', wrong)
  }
  for (const contestant of peers.filter(({ headers }) => 'x-api-key' in headers)) {
    await checkRefuses(contestant, 'x-api-key', wrong)
  }
  for (const contestant of peers.filter(({ headers }) => 'authorization' in headers)) {
    await checkRefuses(contestant, 'authorization', 'Basic bm9ib2R5OndyaXRlcw==')
  }
}

/** The request that the figures about keys are measured by; `text` is empty where the load brings keys of its own. */
export function currentSession(url: string, text: string = key): Contestant {
  return {
    name: '`/session/current.json`',
    url: `${url}/session/current.json`,
    headers: text === '' ? plainHeaders : { ...plainHeaders, 'user-api-key': text },
    answers: '"current_user"',
  }
}
