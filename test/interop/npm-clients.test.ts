import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { approve, copyPayload, openConsent } from '../approve.ts'
import { launchBrowser, openPage } from '../browser.ts'
import { startCommand } from '../running-command.ts'
import { type RunningServer, startServer } from '../running-server.ts'

/** The part of node-discourse-api that is used here; its own declarations need packages that are not installed. */
interface DiscourseApi {
  readonly options: { user_api_key?: string; user_api_client_id?: string }
  generateUserApiKeySync(options: {
    readonly application_name: string
    readonly scopes: string
    readonly client_id: string
    readonly auth_redirect?: string
  }): { readonly url: string; readonly nonce: string; readonly private_key: string }
  decryptUserApiKey(privateKey: string, payload: string): { readonly key: string; readonly nonce: string }
  revokeUserApiKey(): Promise<unknown>
  _request(path: string, method?: string, data?: unknown): Promise<unknown>
}

const require = createRequire(import.meta.url)
const { DiscourseApi } = require('node-discourse-api') as { DiscourseApi: new (site: string) => DiscourseApi }
const generator = fileURLToPath(
  new URL('bin/run', `file://${require.resolve('discourse-api-key-generator/package.json')}`),
)

let server: RunningServer
let browser: Browser

before(async () => {
  ;[server, browser] = await Promise.all([startServer(), launchBrowser()])
})
after(async () => {
  await Promise.all([browser?.close(), server?.stop()])
})

describe('node-discourse-api, unmodified', () => {
  test('gets a key from the page, uses it and revokes it', async () => {
    const api = new DiscourseApi(server.baseUrl)
    const request = api.generateUserApiKeySync({
      application_name: 'Wrapper',
      scopes: 'read,write',
      client_id: 'wrapper-on-this-machine',
    })
    const payload = api.decryptUserApiKey(request.private_key, await approvedPayload(request.url))
    assert.equal(payload.nonce, request.nonce)

    api.options.user_api_key = payload.key
    api.options.user_api_client_id = 'wrapper-on-this-machine'
    const session = (await api._request('/session/current.json')) as { current_user: { username: string } }
    assert.equal(session.current_user.username, server.adminUsername)
    const post = (await api._request('/posts.json', 'POST', {
      title: 'Hello from somebody else’s client',
      raw: 'Posted by a client that knows nothing of Hallpass.',
    })) as { topic_id: number }
    assert.equal(typeof post.topic_id, 'number')

    await api.revokeUserApiKey()
    const answer = await fetch(`${server.baseUrl}/session/current.json`, {
      headers: { 'User-Api-Key': payload.key },
    })
    assert.equal(answer.status, 403)
    assert.equal(((await answer.json()) as { reason: string }).reason, 'user_api_key_revoked')
  })

  test('gets a key through a redirect to this machine', async () => {
    const api = new DiscourseApi(server.baseUrl)
    const request = api.generateUserApiKeySync({
      application_name: 'Wrapper',
      scopes: 'session_info',
      client_id: 'wrapper-with-a-redirect',
      auth_redirect: 'http://localhost:1/callback',
    })
    const page = await openPage(browser)
    // Nothing listens there. What counts is where the browser is sent, as an app that takes the address over sees it.
    const callback = page.waitForRequest((sent) => sent.url().startsWith('http://localhost:1/callback?'))
    await openConsent(page, request.url, server)
    await approve(page)
    const address = new URL((await callback).url())
    await page.context().close()
    const payload = api.decryptUserApiKey(request.private_key, address.searchParams.get('payload') ?? '')
    assert.equal(payload.nonce, request.nonce)
    assert.match(payload.key, /^[0-9a-f]{32}$/)
  })
})

describe('discourse-api-key-generator, unmodified', () => {
  test('gets a key that opens the API', async () => {
    // It opens a browser by itself, which BROWSER turns into nothing, and tells the address only to who debugs it.
    const { HOME, PATH } = process.env
    const command = startCommand(
      process.execPath,
      [generator, '--url', server.baseUrl.replace('http:', 'https:'), '--app', 'Generator'],
      { HOME, PATH, BROWSER: 'true', DEBUG: 'discourse-api-key-generator' },
    )
    // It insists on https in the address of the site; the server of this test has none.
    const [, address = ''] = await command.printed(/redirect URL is (https:\S+)/)
    await command.printed(/Please input the encoded key/)
    command.write(`${await approvedPayload(address.replace('https:', 'http:'))}\n`)
    const { stdout, stderr } = await command.ended
    const key = /The API key is ([0-9a-f]{32})/.exec(stdout)?.[1]
    assert.ok(key, stderr)

    const answer = await fetch(`${server.baseUrl}/session/current.json`, { headers: { 'User-Api-Key': key } })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('x-discourse-username'), server.adminUsername)
  })
})

/** What the user does: opens the address, approves, and copies the payload. */
async function approvedPayload(address: string): Promise<string> {
  const page = await openPage(browser)
  await openConsent(page, address, server)
  await approve(page)
  const payload = await copyPayload(page)
  await page.context().close()
  return payload
}
