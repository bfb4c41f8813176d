/** What stands in a comparison: a request that is answered with success, and the load that it bears. */
import { request } from 'node:http'
import { processorTimeOf } from './children.ts'
import type { Bench } from './figure.ts'
import type { Load, LoadResult } from './load.ts'

/** A server with the request that it is measured by. */
export interface Contestant {
  readonly name: string
  readonly url: string
  readonly method?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** What the body of a right answer holds, or a header of it. */
  readonly answers: string
  /** Its process, where its processor time is worth knowing: one whose work is not done by its children. */
  readonly pid?: number
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Sends a request once. */
export function ask(
  url: string,
  options: {
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
  } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }))
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/**
 * Makes sure that a contestant does its work: it answers rightly, and refuses the same request without its credential.
 *
 * @throws Error saying what it did instead
 */
export async function check({ name, url, method, headers, body, answers }: Contestant): Promise<void> {
  const sent = {
    ...(method === undefined ? {} : { method }),
    ...(body === undefined ? {} : { body: body.replaceAll('{n}', '000000000000') }),
  }
  const answer = await ask(url, { ...sent, headers })
  if (answer.status !== 200 || !(answer.body + JSON.stringify(answer.headers)).includes(answers)) {
    throw new Error(
      `${name} does not do its work: ${url} answered ${answer.status} ${answer.body.slice(0, 300)}`,
    )
  }
}

/**
 * Makes sure that a contestant refuses a credential that it should not know, sent in `header`.
 *
 * @throws Error when it does not
 */
export async function checkRefuses(contestant: Contestant, header: string, value: string): Promise<void> {
  const answer = await ask(contestant.url, { headers: { ...contestant.headers, [header]: value } })
  const says = answer.body.includes('"active":false')
  if (answer.status < 400 && !says) {
    throw new Error(`${contestant.name} takes any credential: it answered ${answer.status} to a wrong one`)
  }
}

/** What a contestant bore. */
export interface Measured extends LoadResult {
  /** Processor time of its process for a request, in microseconds; NaN where that is not known. */
  readonly processorMicroseconds: number
}

/** Measures a contestant under load once. */
export async function measured(
  bench: Bench,
  { url, method, headers, body, pid = 0 }: Contestant,
  load: Omit<Load, 'url' | 'method' | 'headers' | 'body' | 'seconds'> & { readonly seconds?: number },
): Promise<Measured> {
  const before = processorTimeOf(pid) ?? Number.NaN
  const result = await bench.load.run({
    url,
    headers,
    ...(method === undefined ? {} : { method }),
    ...(body === undefined ? {} : { body }),
    seconds: bench.effort.seconds,
    ...load,
  })
  const after = processorTimeOf(pid) ?? Number.NaN
  return { ...result, processorMicroseconds: (after - before) / result.requests }
}

/** Warms contestants up: a second each with many connections, so that what is measured is compiled. */
export async function warmUp(bench: Bench, contestants: readonly Contestant[]): Promise<void> {
  for (const contestant of contestants) {
    await measured(bench, contestant, { connections: 32, seconds: bench.effort.quick ? 1 : 10 })
  }
}
