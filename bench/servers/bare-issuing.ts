/**
 * The ceiling of issuing: a bare `node:http` server that reads the form, makes a random key, encrypts it with the public
 * key of the form, commits one row, and answers. `bare-issuing.ts <folder for the database>`
 */
import { constants, hash, publicEncrypt, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { announce } from './announce.ts'

const database = new DatabaseSync(join(process.argv[2] ?? '.', 'bare.sqlite'))
database.exec(`
  pragma journal_mode = wal;
  pragma synchronous = full;
  create table keys (id integer primary key, key_hash text not null unique, client_id text not null, at integer not null)
`)
const insert = database.prepare('insert into keys (key_hash, client_id, at) values (?, ?, ?)')

const server = createServer((request, response) => {
  let text = ''
  request.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  request.on('end', () => {
    const form = new URLSearchParams(text)
    const key = randomBytes(16).toString('hex')
    const payload = publicEncrypt(
      { key: form.get('public_key') ?? '', padding: constants.RSA_PKCS1_OAEP_PADDING },
      Buffer.from(JSON.stringify({ key, nonce: form.get('nonce'), push: false, api: 4 })),
    ).toString('base64')
    insert.run(hash('sha256', key), form.get('client_id') ?? '', Date.now())
    const body = JSON.stringify({ payload })
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    response.writeHead(200, headers).end(body)
  })
})
announce(server)
