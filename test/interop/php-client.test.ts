import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startCommand } from '../running-command.ts'
import { freePort, type RunningServer, startServer } from '../running-server.ts'
import { findInstalled, plainEnvironment } from './installed.ts'
import { signedInVisitor, type Visitor } from './visitor.ts'

const folder = fileURLToPath(new URL('../../examples/clients/php/', import.meta.url))
const candidates = ['/usr/bin/php', 'php'] as const
const has = (extension: string): readonly string[] => [
  '-r',
  `exit(extension_loaded("openssl") && extension_loaded("${extension}") ? 0 : 1);`,
]
const withSessions = findInstalled(candidates, has('session'), 'php-cli')
const withCurl = findInstalled(candidates, has('curl'), 'php-cli php-curl')

let server: RunningServer
let visitor: Visitor

before(async () => {
  server = await startServer()
  visitor = await signedInVisitor(server)
})
after(() => server?.stop())

describe('examples/clients/php/index.php', { skip: withSessions.skip }, () => {
  test('greets whoever approves, at a redirect without a path', async () => {
    const port = await freePort()
    const site = startCommand(withSessions.program, ['-S', `localhost:${port}`, `${folder}index.php`], {
      ...plainEnvironment(),
      SITE: server.baseUrl,
    })
    try {
      await site.printed(/started/)
      const start = await fetch(`http://localhost:${port}/`, { redirect: 'manual' })
      const address = start.headers.get('location') ?? ''
      const { searchParams } = new URL(address)
      assert.match(searchParams.get('client_id') ?? '', /^[0-9a-f]{96}$/)
      assert.equal(searchParams.get('auth_redirect'), `http://localhost:${port}`)

      const redirect = await visitor.approveToRedirect(address)
      assert.ok(redirect.startsWith(`http://localhost:${port}?payload=`), redirect)
      const [cookie = ''] = start.headers.getSetCookie().map((line) => line.replace(/;.*/, ''))
      const end = await fetch(redirect, { headers: { cookie } })
      assert.equal(await end.text(), `hello, ${server.adminUsername}\n`)
      assert.equal(await visitor.app('Sign-in in PHP'), 'approved')
    } finally {
      site.stop()
      await site.ended
    }
  })
})

describe('examples/clients/php/whole_browser.php', { skip: withCurl.skip }, () => {
  const options = [`${folder}whole_browser.php`] as const

  test('signs in, sends the sign-in form once more, approves, and reads with the key', async () => {
    await listRedirect('web+nextclouddiscourse://auth-redirect')
    const command = startCommand(
      withCurl.program,
      [...options, server.baseUrl, server.adminUsername],
      plainEnvironment(),
    )
    command.write(`${server.adminPassword}\n`)
    const { status, stdout, stderr } = await command.ended
    assert.equal(status, 0, stderr + stdout)
    assert.match(stdout, new RegExp(`signed in as ${server.adminUsername}\nhello, ${server.adminUsername}\n`))
    assert.match(stdout, /found: Welcome/)
    assert.equal(await visitor.app('Whole browser in PHP'), 'approved')
  })

  test('is told why, as long as the site does not list its redirect', async () => {
    await listRedirect('')
    const command = startCommand(
      withCurl.program,
      [...options, server.baseUrl, server.adminUsername],
      plainEnvironment(),
    )
    command.write(`${server.adminPassword}\n`)
    const { status, stderr } = await command.ended
    assert.equal(status, 1)
    assert.match(stderr, /web\+nextclouddiscourse:\/\/auth-redirect/)
  })
})

/** Adds an entry to the redirects that the site allows by default. */
async function listRedirect(entry: string): Promise<void> {
  const list = ['discourse://auth_redirect', 'loopback', entry].filter((item) => item !== '')
  const answer = await fetch(`${server.baseUrl}/admin/site_settings/allowed_user_api_auth_redirects.json`, {
    method: 'PUT',
    headers: { 'api-key': server.adminApiKey, 'api-username': server.adminUsername },
    body: new URLSearchParams({ allowed_user_api_auth_redirects: list.join('|') }),
  })
  assert.equal(answer.status, 200, await answer.text())
}
