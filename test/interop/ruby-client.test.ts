import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startCommand } from '../running-command.ts'
import { freePort, type RunningServer, startServer } from '../running-server.ts'
import { findInstalled, plainEnvironment } from './installed.ts'
import { signedInVisitor, type Visitor } from './visitor.ts'

const folder = fileURLToPath(new URL('../../examples/clients/ruby/', import.meta.url))
const ruby = findInstalled(['/usr/bin/ruby', 'ruby'], ['-e', 'require "openssl"'], 'ruby')

let server: RunningServer
let visitor: Visitor

describe('examples/clients/ruby', { skip: ruby.skip }, () => {
  before(async () => {
    server = await startServer()
    visitor = await signedInVisitor(server)
  })
  after(() => server?.stop())

  test('paste.rb names itself with a line feed at the end, and takes a payload on several lines', async () => {
    const command = startCommand(ruby.program, [`${folder}paste.rb`, server.baseUrl], plainEnvironment())
    const [, address = ''] = await command.printed(/open (http\S+)/)
    assert.match(new URL(address).searchParams.get('client_id') ?? '', /^\S+\n$/)
    const payload = await visitor.approveToPayload(address)
    command.write(`${payload.replace(/.{60}/g, '$&\n')}\n\n`)
    const { status, stdout, stderr } = await command.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, new RegExp(`hello, ${server.adminUsername}`))
    assert.equal(await visitor.app('Paste in Ruby'), 'approved')
  })

  test('site_to_site.rb takes the payload at its own site’s address, and gives the key back', async () => {
    const port = await freePort()
    const command = startCommand(
      ruby.program,
      [`${folder}site_to_site.rb`, server.baseUrl, String(port)],
      plainEnvironment(),
    )
    const [, address = ''] = await command.printed(/open (http\S+)/)
    assert.match(new URL(address).searchParams.get('client_id') ?? '', /^localhost:1:[0-9a-f]{32}$/)
    const redirect = await visitor.approveToRedirect(address)
    const callback = `http://localhost:${port}/admin/plugins/subscription-client/suppliers/authorize/callback`
    assert.ok(redirect.startsWith(`${callback}?payload=`), redirect)
    assert.equal((await fetch(redirect)).status, 200)
    const { status, stdout, stderr } = await command.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, new RegExp(`hello, ${server.adminUsername}\ngave the key back`))
    assert.equal(await visitor.app('Site to site in Ruby'), 'revoked')
  })
})
