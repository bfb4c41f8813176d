/** Issuing: from the press of the button to the sealed payload, under load. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { approvalForm } from '../fill/approval-form.ts'
import { sessionToken } from '../fill/keys.ts'
import { filledSqlite } from '../fill/sqlite.ts'
import { startScript } from '../measure/children.ts'
import { ask, type Contestant, check, measured, warmUp } from '../measure/contestant.ts'
import type { Figure } from '../measure/figure.ts'
import { startHallpass } from '../measure/hallpass.ts'
import { plainHeaders } from '../measure/peers.ts'
import { held, interleaved, median, ratioOf } from '../measure/rounds.ts'
import { perSecond, short } from '../measure/words.ts'

export const issuing: Figure = {
  name: 'issuing',
  title: 'Issuing a key',
  notes: [
    'POST /user-api-key by a signed-in browser, the answer as JSON, 32 connections, each request of a client never seen before; RSA of 2048 bits. Hallpass finds the session, checks the request, and commits client, key, scopes and two entries of the audit log.',
    'The bare server parses the same form, makes a random key, seals it with `publicEncrypt`, and commits one row for each request by itself. Both wait for the disk (`synchronous = full`).',
  ],
  async measure(bench) {
    const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-issuing-'))
    cpSync(await filledSqlite(bench.cache, 1000, bench.progress), join(folder, 'data'), { recursive: true })
    const hallpass = await startHallpass({ data: join(folder, 'data') })
    const bare = startScript(new URL('../servers/bare-issuing.ts', import.meta.url), [folder], {
      role: 'measured',
    })
    try {
      const form = approvalForm()
      const ours: Contestant = {
        name: 'Hallpass',
        url: `${hallpass.url}/user-api-key`,
        method: 'POST',
        headers: { ...plainHeaders, ...formType, ...(await signedIn(hallpass.url)) },
        body: form,
        answers: '"payload"',
      }
      const theirs: Contestant = {
        ...ours,
        name: 'bare node:http',
        url: `http://127.0.0.1:${await bare.line('READY')}/`,
      }
      await check(ours)
      await check(theirs)
      await warmUp(bench, [ours, theirs])
      let from = 1_000_000
      const run = (contestant: Contestant) => async () => {
        from += 1_000_000
        return measured(bench, contestant, { connections: 32, from })
      }
      const [hallpassRounds = [], bareRounds = []] = await interleaved(bench.effort.rounds, [
        run(ours),
        run(theirs),
      ])
      const rate = (rounds: typeof hallpassRounds): number[] => rounds.map((round) => round.perSecond)
      const late = (rounds: typeof hallpassRounds): number[] => rounds.map((round) => round.p99Ms)
      const ratio = ratioOf(rate(hallpassRounds), rate(bareRounds))
      return [
        {
          figure: 'approve → sealed payload, 32 connections',
          measured: perSecond(median(rate(hallpassRounds))),
          beside: `HTTP + RSA + one commit ${perSecond(median(rate(bareRounds)))}`,
          ratio,
          ...held(ratio.median, { atLeast: 0.5 }),
        },
        {
          figure: 'the slowest hundredth of them (p99)',
          measured: `${short(median(late(hallpassRounds)))} ms`,
          beside: `HTTP + RSA + one commit ${short(median(late(bareRounds)))} ms`,
          ratio: ratioOf(late(hallpassRounds), late(bareRounds)),
        },
      ]
    } finally {
      await bare.stop()
      await hallpass.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

const formType = { 'content-type': 'application/x-www-form-urlencoded' }

/** The headers of a browser in which the first user of a filled store is signed in. */
async function signedIn(url: string): Promise<Readonly<Record<string, string>>> {
  const session = `_t=${sessionToken(1)}`
  const answer = await ask(`${url}/session/csrf.json`, { headers: { ...plainHeaders, cookie: session } })
  const { csrf } = JSON.parse(answer.body) as { csrf: string }
  const [secret = ''] = (answer.headers['set-cookie']?.[0] ?? '').split(';')
  return { cookie: `${session}; ${secret}`, 'x-csrf-token': csrf }
}
