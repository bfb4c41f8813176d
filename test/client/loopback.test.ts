import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { authorizeWithLoopback, type LoopbackOptions } from '../../src/client/loopback.ts'
import { receiveRedirect } from '../../src/client/loopback-receiver.ts'
import { type PlainSite, startPlainSite, withPayload } from './plain-site.ts'

let site: PlainSite
before(async () => {
  site = await startPlainSite()
})
after(() => site.close())

function request(change: Partial<LoopbackOptions> & Pick<LoopbackOptions, 'openBrowser'>): LoopbackOptions {
  return { site: site.baseUrl, applicationName: 'My app', scopes: ['read'], ...change }
}

function redirectOf(url: string): URL {
  return new URL(new URL(url).searchParams.get('auth_redirect') ?? '')
}

/** A browser that opens an address and reads the page. */
async function visit(url: string | URL): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(url)
  return { status: response.status, text: await response.text(), headers: response.headers }
}

describe('authorizeWithLoopback', () => {
  test('gets a key from the browser, and tells the user that they can close it', async () => {
    let page: Promise<Awaited<ReturnType<typeof visit>>> | undefined
    let key: string | undefined
    const credential = await authorizeWithLoopback(
      request({
        openBrowser: (url) => {
          const approval = site.approve(url)
          key = approval.key
          page = visit(approval.redirectUrl ?? '')
        },
      }),
    )
    assert.equal(credential.key, key)
    const shown = await page
    assert.equal(shown?.status, 200)
    assert.match(shown.text, /<h1>You can close this window<\/h1>/)
    assert.equal(shown.headers.get('cache-control'), 'no-store')
    assert.equal(shown.headers.get('referrer-policy'), 'no-referrer')
    assert.match(shown.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
    assert.ok(!shown.text.includes(credential.key))
  })

  test('opens no browser for a narrowed key at a site that does not say that it narrows', async () => {
    const refused = authorizeWithLoopback(
      request({
        scopeParameters: { read: { id: ['1'] } },
        openBrowser: () => assert.fail('a browser was opened'),
      }),
    )
    await assert.rejects(refused, { reason: 'narrowing_not_offered' })
  })

  test('answers a browser that comes again with the same page', async () => {
    let redirectUrl = ''
    await authorizeWithLoopback(
      request({
        openBrowser: (url) => {
          redirectUrl = site.approve(url).redirectUrl ?? ''
          void visit(redirectUrl)
        },
      }),
    )
    const again = await visit(redirectUrl)
    assert.deepEqual([again.status, /You can close this window/.test(again.text)], [200, true])
  })

  // Another page in the browser, or another user of the machine, could otherwise hand the app a key of theirs.
  test('takes nothing at another path, from another host, or with another method', async () => {
    const credential = await authorizeWithLoopback(
      request({
        openBrowser: async (url) => {
          const redirect = redirectOf(url)
          assert.match(redirect.pathname, /^\/[0-9a-f]{32}$/)
          const { payload, redirectUrl } = site.approve(url)
          const encoded = encodeURIComponent(payload)
          const attempts = [
            [`/?payload=${encoded}`, 404],
            [`/callback?payload=${encoded}`, 404],
            [`${redirect.pathname}/?payload=${encoded}`, 404],
            ['/favicon.ico', 404],
            [redirect.pathname, 400],
          ] as const
          for (const [path, status] of attempts) {
            assert.equal((await visit(new URL(path, redirect))).status, status, path)
          }
          assert.equal(await statusOf(redirectUrl ?? '', { headers: { host: 'evil.test' } }), 421)
          assert.equal(await statusOf(redirectUrl ?? '', { method: 'POST' }), 405)
          void visit(redirectUrl ?? '')
        },
      }),
    )
    assert.equal(credential.site, site.baseUrl)
  })

  test('refuses a payload for another request, and says so on the page', async () => {
    let page: Promise<{ status: number; text: string }> | undefined
    const refused = authorizeWithLoopback(
      request({
        openBrowser: (url) => {
          const forged = new URL(url)
          forged.searchParams.set('nonce', 'another')
          page = visit(site.approve(forged.href).redirectUrl ?? '')
        },
      }),
    )
    await assert.rejects(refused, { reason: 'nonce_mismatch' })
    const shown = await page
    assert.equal(shown?.status, 400)
    assert.match(shown.text, /The app did not get its key/)
    assert.match(shown.text, /its nonce is not the one that was sent/)
  })

  test('says on the page that a payload is incomplete', async () => {
    let page: Promise<{ status: number; text: string }> | undefined
    const refused = authorizeWithLoopback(
      request({
        openBrowser: (url) => {
          page = visit(withPayload(redirectOf(url).href, site.approve(url).payload.slice(0, 61)))
        },
      }),
    )
    await assert.rejects(refused, { reason: 'payload_incomplete' })
    assert.match((await page)?.text ?? '', /60 of 344 characters/)
  })

  test('takes the address that the user pasted, when the browser cannot come', async () => {
    let approved = ''
    const credential = await authorizeWithLoopback(
      request({
        openBrowser: (url) => {
          approved = site.approve(url).redirectUrl ?? ''
        },
        pasted: async (read) => {
          assert.equal(read(approved.slice(0, 200)).outcome, 'incomplete')
          assert.equal(read(approved).outcome, 'found')
          return approved
        },
      }),
    )
    assert.equal(credential.site, site.baseUrl)
    await assert.rejects(visit(approved), 'nothing listens any more')
  })

  test('gives up in time, and stops listening', async () => {
    let redirect: URL | undefined
    const waiting = authorizeWithLoopback(
      request({
        timeoutMs: 30,
        openBrowser: (url) => {
          redirect = redirectOf(url)
        },
      }),
    )
    await assert.rejects(waiting, { reason: 'authorization_timed_out' })
    if (redirect) await assert.rejects(visit(redirect))
  })

  test('ends when the caller gives up', async () => {
    const giveUp = new AbortController()
    const waiting = authorizeWithLoopback(
      request({ signal: giveUp.signal, openBrowser: () => giveUp.abort(new Error('enough')) }),
    )
    await assert.rejects(waiting, /enough/)
    await assert.rejects(
      authorizeWithLoopback(
        request({ signal: AbortSignal.abort(new Error('never')), openBrowser: () => {} }),
      ),
      /never/,
    )
  })

  test('ends when the browser cannot be opened', async () => {
    const waiting = authorizeWithLoopback(
      request({
        openBrowser: () => {
          throw new Error('no browser')
        },
      }),
    )
    await assert.rejects(waiting, /no browser/)
  })
})

describe('receiveRedirect', () => {
  test('asks once, however often the browser comes at the same time', async () => {
    let calls = 0
    const gate = Promise.withResolvers<void>()
    const receiver = await receiveRedirect(async () => {
      calls++
      await gate.promise
      return 'key'
    })
    const pages = [1, 2, 3].map(() => visit(withPayload(receiver.authRedirect, 'x')))
    gate.resolve()
    assert.deepEqual(
      (await Promise.all(pages)).map(({ status }) => status),
      [200, 200, 200],
    )
    assert.equal(await receiver.accepted, 'key')
    assert.equal(calls, 1)
  })

  test('escapes what it shows', async () => {
    const { clientError } = await import('../../src/client/client-errors.ts')
    const receiver = await receiveRedirect(async () => {
      throw clientError('payload_malformed', { problem: '<script>&"' })
    })
    const { text } = await visit(withPayload(receiver.authRedirect, 'x'))
    assert.match(text, /&lt;script&gt;&amp;&quot;/)
    assert.ok(!text.includes('<script>'))
    await assert.rejects(receiver.accepted, { reason: 'payload_malformed' })
  })
})

async function statusOf(
  url: string,
  options: { method?: string; headers?: Record<string, string> },
): Promise<number> {
  const sent = httpRequest(url, options).end()
  const [response] = await once(sent, 'response')
  response.resume()
  return response.statusCode
}
