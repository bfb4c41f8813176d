/**
 * Better Auth's API-key plugin on SQLite, as its documentation sets it up for speed: no rate limit, updates put off until
 * after the answer, and of SQLite write-ahead logging that does not wait for the disk. Its verification is no route but a
 * call, `auth.api.verifyApiKey`, so a bare `node:http` server makes it, as an application does. It prints
 * `KEY <text>` before `READY`. `better-auth.ts <folder for the database>`
 */
import { createServer } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { apiKey } from '@better-auth/api-key'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { announce } from '../servers/announce.ts'

const database = new DatabaseSync(join(process.argv[2] ?? '.', 'better-auth.sqlite'))
database.exec('pragma journal_mode = wal; pragma synchronous = normal;')
const auth = betterAuth({
  database,
  secret: 'thirty-two characters that guard nothing',
  baseURL: 'http://127.0.0.1',
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [apiKey({ rateLimit: { enabled: false }, deferUpdates: true })],
})
await (await getMigrations(auth.options)).runMigrations()
const { user } = await auth.api.signUpEmail({
  body: { name: 'Sam', email: 'sam@example.com', password: 'a password of a benchmark' },
})
const { key } = await auth.api.createApiKey({ body: { name: 'bench', userId: user.id } })
console.log(`KEY ${key}`)

const server = createServer(async (request, response) => {
  const text = request.headers['x-api-key']
  const answer = await auth.api.verifyApiKey({ body: { key: typeof text === 'string' ? text : '' } })
  const body = JSON.stringify({ valid: answer.valid, user: answer.key?.referenceId })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  response.writeHead(answer.valid ? 200 : 403, headers).end(body)
})
announce(server)
