/**
 * Revokes keys and watches when they are refused: `revocations.ts <revoke at> <ask at> <file of keys>`. While a key is
 * revoked at one address, the other is asked with it without a pause; several keys at a time.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'

/** What is printed after `REVOCATIONS`. */
export interface Revocations {
  /** From the answer to the revocation until the first refusal arrived, in milliseconds; 0 where that came before. In their order. */
  readonly lagsMs: readonly number[]
  /** Of requests that were sent after the answer had arrived, how many were let in. */
  readonly acceptedAfter: number
  /** From sending a request until its answer, in milliseconds, of all that were let in. */
  readonly requestsMs: readonly number[]
}

const [revokeAt = '', askAt = '', file = ''] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true })
const atOnce = 4
const keys = readFileSync(file, 'utf8').trimEnd().split('\n')
const lagsMs: number[] = []
const requestsMs: number[] = []
let acceptedAfter = 0

await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) await revoke(key)
  }),
)
const report: Revocations = { lagsMs, acceptedAfter, requestsMs }
// The whole of it: a pipe takes less at once.
process.stdout.write(`REVOCATIONS ${JSON.stringify(report)}\n`, () => process.exit())

async function revoke(key: string): Promise<void> {
  for (const url of [revokeAt, askAt]) {
    const { status, reason } = await send(url, '/session/current.json', 'GET', key)
    if (status !== 200) throw new Error(`a good key is answered with ${status} ${reason}`)
  }
  let answeredAt = Number.POSITIVE_INFINITY
  const revocation = send(revokeAt, '/user-api-key/revoke', 'POST', key).then(({ status, reason }) => {
    if (status !== 200) throw new Error(`the revocation is answered with ${status} ${reason}`)
    answeredAt = performance.now()
  })
  for (;;) {
    const sentAt = performance.now()
    const { status, reason } = await send(askAt, '/session/current.json', 'GET', key)
    const now = performance.now()
    if (status === 200) {
      requestsMs.push(now - sentAt)
      if (sentAt > answeredAt) acceptedAfter += 1
      if (now - answeredAt > 10_000) throw new Error('a revoked key is still let in after ten seconds')
      continue
    }
    if (status !== 403) throw new Error(`a revoked key is answered with ${status} ${reason}`)
    await revocation
    lagsMs.push(Math.max(0, now - answeredAt))
    return
  }
}

interface Answer {
  readonly status: number
  /** Why it was refused; empty where it was not. */
  readonly reason: string
}

function send(url: string, path: string, method: string, key: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', 'user-api-key': key, 'content-length': 0 }
    const sent = request(`${url}${path}`, { agent, method, headers }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('end', () => {
        const reason = /"reason":"(\w+)"/.exec(body)?.[1] ?? ''
        resolve({ status: answer.statusCode ?? 0, reason })
      })
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end()
  })
}
