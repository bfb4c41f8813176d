import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startCommand } from '../running-command.ts'
import { freePort, type RunningServer, startServer } from '../running-server.ts'
import { findInstalled, plainEnvironment } from './installed.ts'
import { signedInVisitor, type Visitor } from './visitor.ts'

const folder = fileURLToPath(new URL('../../examples/clients/python/', import.meta.url))
const candidates = ['/usr/bin/python3', 'python3'] as const
const withCryptography = findInstalled(
  candidates,
  ['-c', 'import cryptography'],
  'python3 python3-cryptography',
)
const withPycryptodome = findInstalled(
  candidates,
  ['-c', 'import importlib.util as u; assert u.find_spec("Crypto") or u.find_spec("Cryptodome")'],
  'python3 python3-pycryptodome',
)

let server: RunningServer
let visitor: Visitor

before(async () => {
  server = await startServer()
  visitor = await signedInVisitor(server)
})
after(() => server?.stop())

describe('examples/clients/python/paste.py', { skip: withCryptography.skip }, () => {
  test('opens a payload that was sealed for 4096 bits, knows all its fields, and reads with the key', async () => {
    const command = startCommand(
      withCryptography.program,
      ['-u', `${folder}paste.py`, server.baseUrl],
      plainEnvironment(),
    )
    const [, address = ''] = await command.printed(/open (http\S+)/)
    // Slashes of the key come as they are.
    assert.match(new URL(address).search, /public_key=[^&]*\/[^&]*&/)
    command.write(`${await visitor.approveToPayload(address)}\n`)
    const { status, stdout, stderr } = await command.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^new topics: none$/m)

    const [, key = ''] = /the key: ([0-9a-f]{32})/.exec(stdout) ?? []
    const headers = { 'user-api-key': key }
    const session = await fetch(`${server.baseUrl}/session/current.json`, { headers })
    assert.equal(session.headers.get('x-discourse-username'), server.adminUsername)
    const write = await fetch(`${server.baseUrl}/posts.json`, { method: 'POST', headers })
    assert.equal(((await write.json()) as { reason: string }).reason, 'scope_insufficient')
    assert.equal(await visitor.app('Paste in Python'), 'approved')
  })
})

describe('examples/clients/python/loopback.py', { skip: withPycryptodome.skip }, () => {
  test('takes the payload from a redirect and unescapes it twice, posts, and gives the key back', async () => {
    const port = await freePort()
    const command = startCommand(
      withPycryptodome.program,
      [`${folder}loopback.py`, server.baseUrl, String(port)],
      plainEnvironment(),
    )
    const [, address = ''] = await command.printed(/open (http\S+)/)
    const redirect = await visitor.approveToRedirect(address)
    assert.ok(redirect.startsWith(`http://127.0.0.1:${port}/callback?payload=`), redirect)
    assert.equal((await fetch(redirect)).status, 200)
    const { status, stdout, stderr } = await command.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, new RegExp(`hello, ${server.adminUsername}`))

    const [, topic = ''] = /posted (http\S+)/.exec(stdout) ?? []
    const { title } = (await (await fetch(`${topic}.json`)).json()) as { title: string }
    assert.equal(title, 'Hello from Python')
    assert.equal(await visitor.app('Loopback in Python'), 'revoked')
  })
})
