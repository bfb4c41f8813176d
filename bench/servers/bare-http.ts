/**
 * The ceiling: a bare `node:http` server that hashes the key of each request, looks the hash up in a Map, and answers.
 * `bare-http.ts <keys> <body>`: it knows the good keys of a store of that many, and answers with `body`.
 */
import { hash } from 'node:crypto'
import { createServer } from 'node:http'
import { goodKey, goodKeysOf, keyText } from '../fill/keys.ts'
import { announce } from './announce.ts'

const [keys = '1000', body = ''] = process.argv.slice(2)
const known = new Map<string, number>()
for (let i = 0; i < goodKeysOf(Number(keys)); i += 1) known.set(hash('sha256', keyText(goodKey(i))), i)
const headers = {
  ...(body === '' ? {} : { 'content-type': 'application/json' }),
  'content-length': Buffer.byteLength(body),
}

const server = createServer((request, response) => {
  const key = request.headers['user-api-key']
  if (typeof key !== 'string' || known.get(hash('sha256', key)) === undefined) {
    response.writeHead(403, { 'content-length': 0 }).end()
    return
  }
  response.writeHead(200, headers).end(body)
})
announce(server)
