/** `hallpass serve --upstream`, as a process of its own, in front of an application. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { type Echo, echo, startApplication } from '../edge/gateway-site.ts'
import { type RunningServer, startServer } from '../running-server.ts'
import { authorizationParameters, openSealed } from '../test-site.ts'

const megabyte = 1024 * 1024

async function start(t: TestContext, upstream: string): Promise<RunningServer> {
  const server = await startServer({ env: { HALLPASS_UPSTREAM: upstream } })
  t.after(() => server.stop())
  return server
}

async function getKey({ baseUrl, adminApiKey }: RunningServer): Promise<string> {
  const issued = await fetch(`${baseUrl}/user-api-key.json`, {
    method: 'POST',
    headers: { 'api-key': adminApiKey, 'api-username': 'admin', 'content-type': 'application/json' },
    body: JSON.stringify(authorizationParameters({ scopes: 'read' })),
  })
  const { payload } = (await issued.json()) as { payload: string }
  return String(openSealed(payload).key)
}

async function reasonOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { reason: string }).reason
}

describe('hallpass serve --upstream', () => {
  test('a key reaches the application as its user, as far as its scopes go, until it is revoked', async (t) => {
    const application = await startApplication(t, echo)
    const server = await start(t, application.url)
    assert.match(server.output(), new RegExp(`in front of {4}${application.url}`))
    const headers = { 'user-api-key': await getKey(server) }
    const answer = await fetch(`${server.baseUrl}/invoices`, { headers })
    const seen = (await answer.json()) as Echo
    assert.equal(seen.headers['x-hallpass-user'], 'admin')
    const jwks = createRemoteJWKSet(new URL(`${server.baseUrl}/hallpass/jwks.json`))
    const { payload } = await jwtVerify(String(seen.headers['x-hallpass-identity']), jwks, {
      audience: application.url,
    })
    assert.equal(payload.username, 'admin')

    const deleted = await fetch(`${server.baseUrl}/invoices/7`, { method: 'DELETE', headers })
    assert.equal(await reasonOf(deleted), 'scope_insufficient')
    const revoked = await fetch(`${server.baseUrl}/user-api-key/revoke`, { method: 'POST', headers })
    assert.equal(revoked.status, 200)
    const after = await fetch(`${server.baseUrl}/invoices`, { headers })
    assert.equal(await reasonOf(after), 'user_api_key_revoked')
  })

  test('400 MB go through it in either direction, and the last 300 take no more memory than the first 100', async (t) => {
    const { url } = await startApplication(t, (incoming, outgoing) => incoming.pipe(outgoing))
    const server = await start(t, url)
    const before = await residentMegabytes(server.pid)
    if (before === undefined) return t.skip('this system does not tell how much memory a process has')
    const sending = httpRequest(server.baseUrl, {
      method: 'POST',
      headers: { 'content-length': 400 * megabyte },
    })
    const answered = once(sending, 'response') as Promise<[IncomingMessage]>
    let length = 0
    const reading = answered.then(async ([answer]) => {
      for await (const part of answer) length += (part as Buffer).length
    })
    let early = before
    let most = before
    const chunk = Buffer.alloc(megabyte)
    for (let count = 0; count < 400; count += 1) {
      if (!sending.write(chunk)) await once(sending, 'drain')
      const now = (await residentMegabytes(server.pid)) ?? 0
      if (count < 100) early = Math.max(early, now)
      most = Math.max(most, now)
    }
    sending.end()
    await reading
    assert.equal(length, 400 * megabyte)
    t.diagnostic(
      `${Math.round(before)} MiB, ${Math.round(early)} after 100 MB, ${Math.round(most)} in the end`,
    )
    assert.ok(most - early < 40, `grew by ${most - early} MiB`)
    assert.ok(most - before < 160, `grew by ${most - before} MiB`)
  })

  test('stops when it is told to, once what is on its way has ended', async (t) => {
    const { promise: go, resolve: finish } = Promise.withResolvers<void>()
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>()
    const { url } = await startApplication(t, async (_incoming, outgoing) => {
      isAsked()
      await go
      outgoing.end('done')
    })
    const server = await startServer({ env: { HALLPASS_UPSTREAM: url } })
    const asking = fetch(server.baseUrl)
    await asked
    const stopped = server.stop()
    finish()
    assert.equal(await (await asking).text(), 'done')
    await stopped
  })
})

async function residentMegabytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
}
