/** The load generator for machines without wrk, as a process: `autocannon.ts <load as JSON>`; see measure/load.ts. */
import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import type { Load } from '../measure/load.ts'

const load = JSON.parse(process.argv[2] ?? '{}') as Load
const { varying, body } = load
const values = varying === undefined ? [] : readFileSync(varying.file, 'utf8').trimEnd().split('\n')
let count = load.from ?? 0
let refused = 0

const running = autocannon({
  url: load.url,
  connections: load.connections,
  duration: load.seconds,
  method: load.method ?? 'GET',
  headers: { ...load.headers },
  ...(body === undefined ? {} : { body }),
  requests: [
    {
      setupRequest: (request) => {
        count += 1
        const value = values[(count - 1) % values.length]
        if (varying && value !== undefined)
          return { ...request, headers: { ...request.headers, [varying.header]: value } }
        return body === undefined
          ? request
          : { ...request, body: body.replaceAll('{n}', String(count).padStart(12, '0')) }
      },
    },
  ],
})
running.on('response', (_client, status) => {
  if (status >= 400) refused += 1
})
const result = await running
const report = {
  requests: result.requests.total,
  microseconds: Math.round(result.duration * 1e6),
  refused,
  broken: result.errors + result.timeouts,
  p50: result.latency.p50 * 1000,
  p99: result.latency.p99 * 1000,
}
console.log(`BENCH ${JSON.stringify(report)}`)
