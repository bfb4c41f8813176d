/** Warm verification over HTTP: one key that was seen before, at 1, 32 and 256 connections. */

import { goodKey, keyText, unknownKeyText } from '../fill/keys.ts'
import { filledSqlite } from '../fill/sqlite.ts'
import { ask, type Contestant, check, checkRefuses, measured, warmUp } from '../measure/contestant.ts'
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
import { perSecond } from '../measure/words.ts'

const keys = 1000
const key = keyText(goodKey(0))
const withKey = { ...plainHeaders, 'user-api-key': key }

export const warm: Figure = {
  name: 'warm',
  title: 'A key seen before, over HTTP',
  notes: [
    'One process answers requests with one key, whose limits are off: no key may make as many requests.',
    'The bare server hashes the key, looks it up in a Map, and answers with the same body; it knows nothing of scopes, owners, expiry or revocation.',
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
    }
    const forwardAuth: Contestant = {
      name: 'forward-auth',
      url: `${hallpass.url}/hallpass/forward-auth`,
      headers: { ...withKey, 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/topics' },
      answers: '"x-hallpass-user":"user',
    }
    const hop: Contestant = {
      name: 'gateway hop',
      url: `${gateway.url}/topics`,
      headers: withKey,
      answers: 'What the application has to say',
    }
    const peerOf = (name: keyof typeof peers): Contestant => peers[name].contestant
    try {
      await checkAll(
        [session, forwardAuth, hop],
        Object.values(peers).map((peer) => peer.contestant),
      )
      const rows: Row[] = []
      for (const connections of [32, 1, 256]) {
        const at32 = connections === 32
        const budget = (atLeast: number, unit?: string): Budget | undefined =>
          at32 ? { atLeast, ...(unit === undefined ? {} : { unit }) } : undefined
        const all: readonly Contestant[] = [
          session,
          forwardAuth,
          hop,
          ...Object.keys(peers).map((name) => peerOf(name as keyof typeof peers)),
        ]
        if (at32) await warmUp(bench, all)
        bench.progress(`warm: ${connections} connections`)
        const results = await interleaved(
          // The budgets are for 32 connections; in a hurry the others are measured once.
          bench.effort.quick && !at32 ? 1 : bench.effort.rounds,
          all.map((contestant) => async () => (await measured(bench, contestant, { connections })).perSecond),
        )
        const of = (contestant: Contestant): readonly number[] => results[all.indexOf(contestant)] ?? []
        const row = (ours: Contestant, theirs: Contestant, allowed: Budget | undefined): Row => {
          const ratio = ratioOf(of(ours), of(theirs))
          return {
            figure: `${ours.name}, ${connections} connection${connections === 1 ? '' : 's'}`,
            measured: perSecond(median(of(ours))),
            beside: `${theirs.name} ${perSecond(median(of(theirs)))}`,
            ratio,
            ...held(ratio.median, allowed),
          }
        }
        rows.push(
          row(session, peerOf('bare'), budget(0.8)),
          row(session, peerOf('betterAuth'), budget(10)),
          row(session, peerOf('oidc'), budget(4)),
          row(forwardAuth, peerOf('bareEmpty'), budget(0.8)),
          row(forwardAuth, peerOf('nginx'), undefined),
          row(forwardAuth, peerOf('betterAuth'), budget(10)),
          row(forwardAuth, peerOf('oidc'), budget(4)),
          row(hop, peerOf('proxy'), undefined),
        )
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
