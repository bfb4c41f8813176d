/**
 * The ceiling: a bare `node:http` server that hashes the key of each request, looks the hash up in a Map, and answers.
 * `bare-http.ts <keys> <body> [processes]`: it knows the good keys of a store of that many, answers with `body`, and is
 * that many processes on one port (`node:cluster`; default: one, without it).
 */
import cluster from 'node:cluster'
import { hash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { goodKey, goodKeysOf, keyText } from '../fill/keys.ts'
import { announce } from './announce.ts'

const [keys = '1000', body = '', processes = '1'] = process.argv.slice(2)
if (Number(processes) === 1) announce(bareServer())
else if (cluster.isPrimary) startProcesses(Number(processes))
else bareServer().listen(0, '127.0.0.1')

function bareServer(): Server {
  const known = new Map<string, number>()
  for (let i = 0; i < goodKeysOf(Number(keys)); i += 1) known.set(hash('sha256', keyText(goodKey(i))), i)
  const headers = {
    ...(body === '' ? {} : { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(body),
  }
  return createServer((request, response) => {
    const key = request.headers['user-api-key']
    if (typeof key !== 'string' || known.get(hash('sha256', key)) === undefined) {
      response.writeHead(403, { 'content-length': 0 }).end()
      return
    }
    response.writeHead(200, headers).end(body)
  })
}

/** All listen on the port that the first of them was given. */
function startProcesses(count: number): void {
  let listening = 0
  cluster.on('listening', (_worker, { port }) => {
    listening += 1
    if (listening === count) console.log(`READY ${port}`)
  })
  for (let i = 0; i < count; i += 1) cluster.fork()
  process.once('SIGTERM', () => process.exit(0))
}
