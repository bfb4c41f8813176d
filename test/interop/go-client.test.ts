import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startCommand } from '../running-command.ts'
import { type RunningServer, startServer } from '../running-server.ts'
import { findInstalled, plainEnvironment } from './installed.ts'
import { signedInVisitor, type Visitor } from './visitor.ts'

const source = fileURLToPath(new URL('../../examples/clients/go/paste.go', import.meta.url))
const go = findInstalled(['/usr/bin/go', 'go'], ['version'], 'golang-go')

let server: RunningServer
let visitor: Visitor
let folder: string

describe('examples/clients/go', { skip: go.skip }, () => {
  before(async () => {
    ;[server, folder] = await Promise.all([startServer(), mkdtemp(join(tmpdir(), 'hallpass-go-'))])
    visitor = await signedInVisitor(server)
    // The standard library is all it needs, so that it asks no proxy for modules.
    const env = {
      ...plainEnvironment(),
      GOFLAGS: '-mod=mod',
      GOPROXY: 'off',
      GOCACHE: join(folder, 'cache'),
    }
    await promisify(execFile)(go.program, ['build', '-o', join(folder, 'paste'), source], { env })
  })
  after(async () => {
    await server?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  test('paste.go sends a nonce that ends in =, opens the payload, and posts', async () => {
    const command = startCommand(join(folder, 'paste'), [server.baseUrl], plainEnvironment())
    const [, address = ''] = await command.printed(/open (http\S+)/)
    const { searchParams } = new URL(address)
    assert.match(searchParams.get('nonce') ?? '', /^[\w-]{27}=$/)
    assert.deepEqual(
      [...searchParams.keys()],
      ['application_name', 'client_id', 'nonce', 'public_key', 'scopes'],
    )
    command.write(`${await visitor.approveToPayload(address)}\n`)
    const { status, stdout, stderr } = await command.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, new RegExp(`hello, ${server.adminUsername}`))

    const [, topic = ''] = /posted (http\S+)/.exec(stdout) ?? []
    const { title } = (await (await fetch(`${topic}.json`)).json()) as { title: string }
    assert.equal(title, 'Hello from Go')
    assert.equal(await visitor.app('Paste in Go'), 'approved')
  })
})
