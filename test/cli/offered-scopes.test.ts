/** The command and a server that tells its scopes: what is said before a login, and after a call that was refused. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { CommandOutcome } from '../running-command.ts'
import { type RunningServer, startServer } from '../running-server.ts'
import { newTypist, type Typist } from './command.ts'

let typist: Typist
let server: RunningServer
before(async () => {
  server = await startServer()
  typist = await newTypist()
})
after(async () => {
  await typist.leave()
  await server.stop()
})

function asAdministrator(path: string, method: string, form: URLSearchParams): Promise<Response> {
  const headers = {
    accept: 'application/json',
    'api-key': server.adminApiKey,
    'api-username': server.adminUsername,
  }
  return fetch(server.baseUrl + path, { method, headers, body: form })
}

/** What the user and their browser do. */
async function approve(url: string): Promise<void> {
  const answer = await asAdministrator('/user-api-key.json', 'POST', new URL(url).searchParams)
  const { redirect_url: address } = (await answer.json()) as { redirect_url: string }
  assert.equal((await fetch(address)).status, 200)
}

async function signIn(scopes: string): Promise<CommandOutcome> {
  const outcome = await typist.login([server.baseUrl, '--scopes', scopes], approve)
  assert.equal(outcome.status, 0, outcome.stderr)
  return outcome
}

async function allow(scopes: string): Promise<void> {
  const name = 'allow_user_api_key_scopes'
  const answer = await asAdministrator(
    `/admin/site_settings/${name}.json`,
    'PUT',
    new URLSearchParams({ [name]: scopes }),
  )
  assert.equal(answer.status, 200)
}

describe('hallpass login', () => {
  for (const flow of [[], ['--manual'], ['--device']]) {
    test(`refuses a scope that the site does not know, before any browser opens ${flow}`, async () => {
      await allow('read|session_info')
      const options = ['login', server.baseUrl, '--scopes', 'read,fly', ...flow]
      assert.deepEqual(await typist.run(options), {
        status: 1,
        stdout: '',
        stderr: `error: no scope is named \`fly\`
fix: ask for one or more of: read, session_info. separate them with commas and no spaces: \`scopes\` was read as "read", "fly"
reason: scope_unknown
`,
      })
    })
  }

  test('refuses a scope that the site does not give out', async () => {
    await allow('read|session_info')
    const { status, stderr } = await typist.run(['login', server.baseUrl, '--scopes', 'write'])
    assert.equal(status, 1)
    assert.match(
      stderr,
      /^error: this site does not issue keys with the scope `write`\nfix: .* read, session_info\./,
    )
    assert.match(stderr, /\nreason: scope_not_allowed\n$/)
  })
})

describe('hallpass call', () => {
  test('says which scope to ask for and the command for it, which then does', async () => {
    await allow('read|write|session_info|notifications')
    await signIn('session_info')
    const refused = await typist.run(['call', 'GET', '/notifications.json'])
    assert.equal(refused.status, 1)
    const [, command = ''] =
      /\nfix: ask for `notifications`: hallpass (login \S+ --scopes session_info,notifications)\n/.exec(
        refused.stderr,
      ) ?? assert.fail(refused.stderr)
    assert.match(refused.stderr, /^error: GET \/notifications\.json needs one of the scopes: notifications, /)
    assert.match(refused.stderr, /\nreason: scope_insufficient \(http:\S+\/errors\/scope_insufficient\)\n$/)
    await typist.login(command.split(' ').slice(1), approve)
    assert.equal((await typist.run(['call', 'GET', '/notifications.json'])).status, 0)
  })

  test('passes over scopes that the site does not give out', async () => {
    await allow('read|session_info')
    await signIn('session_info')
    const { stderr } = await typist.run(['call', 'GET', '/notifications.json'])
    assert.match(stderr, /\nfix: ask for `read`: hallpass login \S+ --scopes session_info,read\n/)
    const written = await typist.run(['call', 'PUT', '/notifications/mark-read.json'])
    assert.match(
      written.stderr,
      /\nfix: ask an administrator of http:\S+ to add one of them to the setting allow_/,
    )
  })
})
