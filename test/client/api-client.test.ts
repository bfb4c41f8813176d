import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { type ClientOptions, createClient, type HallpassClient } from '../../src/client/api-client.ts'
import { refusal, refusalBody } from '../../src/protocol/errors.ts'
import { jsonAnswer, type RecordedFetch, recordedFetch, redirectAnswer } from './recorded-fetch.ts'

const credential = {
  site: 'https://forum.example.com',
  key: 'k'.repeat(32),
  clientId: 'client-1',
  scopes: ['read'],
}

function clientFor(
  recorded: RecordedFetch,
  change: ClientOptions & { readonly site?: string } = {},
): HallpassClient {
  const { site = credential.site, ...options } = change
  return createClient({ ...credential, site }, { ...options, fetch: recorded.fetch })
}

describe('createClient', () => {
  test('sends the key and the client id with each call, and asks for JSON', async () => {
    const recorded = recordedFetch(jsonAnswer(200, { topics: [] }))
    assert.deepEqual(await clientFor(recorded).get('/latest.json'), { topics: [] })
    const [request] = recorded.requests
    assert.equal(request?.url, 'https://forum.example.com/latest.json')
    assert.equal(request?.headers.get('user-api-key'), credential.key)
    assert.equal(request?.headers.get('user-api-client-id'), 'client-1')
    assert.equal(request?.headers.get('accept'), 'application/json')
  })

  test('sends a body as JSON, and a form as a form', async () => {
    const recorded = recordedFetch(jsonAnswer(200, {}), jsonAnswer(200, {}), jsonAnswer(200, {}))
    const client = clientFor(recorded)
    await client.post('posts.json', { raw: 'Hello' })
    await client.put('/posts/1.json', new URLSearchParams({ raw: 'Hello' }))
    await client.delete('/posts/1.json')
    const [post, put, gone] = recorded.requests
    assert.deepEqual(
      [post?.method, post?.url, post?.body, post?.headers.get('content-type')],
      ['POST', 'https://forum.example.com/posts.json', '{"raw":"Hello"}', 'application/json'],
    )
    assert.ok(put?.body instanceof URLSearchParams)
    assert.equal(put.headers.get('content-type'), null)
    assert.deepEqual([gone?.method, gone?.body], ['DELETE', undefined])
  })

  test('does not let a call’s headers replace the key', async () => {
    const recorded = recordedFetch(jsonAnswer(200, {}))
    await clientFor(recorded).get('/x.json', { headers: { 'user-api-key': 'other', 'X-Own': '1' } })
    assert.equal(recorded.requests[0]?.headers.get('user-api-key'), credential.key)
    assert.equal(recorded.requests[0]?.headers.get('x-own'), '1')
  })

  test('calls inside the folder of a site that has one', async () => {
    const recorded = recordedFetch(jsonAnswer(200, {}))
    await clientFor(recorded, { site: 'https://example.com/forum/' }).get('/latest.json')
    assert.equal(recorded.requests[0]?.url, 'https://example.com/forum/latest.json')
  })

  test('answers undefined for an empty answer', async () => {
    const recorded = recordedFetch(() => new Response(null, { status: 204 }))
    assert.equal(await clientFor(recorded).delete('/x'), undefined)
  })

  test('says so when a page comes in place of JSON', async () => {
    const recorded = recordedFetch(() => new Response('<p>Hi', { headers: { 'Content-Type': 'text/html' } }))
    await assert.rejects(clientFor(recorded).get('/latest'), {
      reason: 'answer_not_json',
      message: 'GET /latest answers text/html, not json',
    })
  })

  test('tells who the key belongs to', async () => {
    const recorded = recordedFetch(jsonAnswer(200, { current_user: { id: 1, username: 'maria' } }))
    assert.equal((await clientFor(recorded).currentUser()).username, 'maria')
    assert.equal(recorded.requests[0]?.url, 'https://forum.example.com/session/current.json')
  })

  test('revokes its own key', async () => {
    const recorded = recordedFetch(jsonAnswer(200, { success: 'OK' }))
    await clientFor(recorded).revoke()
    assert.equal(recorded.requests[0]?.method, 'POST')
    assert.equal(recorded.requests[0]?.url, 'https://forum.example.com/user-api-key/revoke.json')
  })
})

// Whoever receives the key can act for the user until it is revoked.
describe('the key stays with its site', () => {
  const elsewhere = [
    'https://evil.example.com/latest.json',
    'http://forum.example.com/latest.json',
    'https://forum.example.com:8443/latest.json',
    'https://forum.example.com@evil.test/',
  ]
  for (const url of elsewhere) {
    test(`refuses to call ${url}`, async () => {
      const recorded = recordedFetch()
      await assert.rejects(clientFor(recorded).get(url), { reason: 'outside_site' })
      assert.equal(recorded.requests.length, 0)
    })
  }

  for (const path of ['//evil.test/x', '/\\evil.test/x', '@evil.test/', '.evil.test/']) {
    test(`takes ${path} for a path of the site`, async () => {
      const recorded = recordedFetch(jsonAnswer(200, {}))
      await clientFor(recorded).get(path)
      assert.equal(new URL(recorded.requests[0]?.url ?? '').origin, credential.site)
    })
  }

  test('refuses a path that leaves the folder of the site', async () => {
    const recorded = recordedFetch()
    const client = clientFor(recorded, { site: 'https://example.com/forum' })
    await assert.rejects(client.get('/../other-app/x'), { reason: 'outside_site' })
    assert.equal(recorded.requests.length, 0)
  })

  for (const status of [301, 302, 303, 307, 308]) {
    test(`does not follow a ${status} to another origin`, async () => {
      const recorded = recordedFetch(redirectAnswer(status, 'https://evil.example.com/steal'))
      await assert.rejects(clientFor(recorded).get('/latest.json'), {
        reason: 'redirected_outside_site',
        message:
          /GET \/latest\.json redirects to https:\/\/evil\.example\.com\/steal, .* the key was not sent there$/,
      })
      assert.equal(recorded.requests.length, 1)
    })
  }

  test('does not follow a second redirect to another origin', async () => {
    const recorded = recordedFetch(redirectAnswer(302, '/next'), redirectAnswer(302, '//evil.example.com/'))
    await assert.rejects(clientFor(recorded).get('/x'), { reason: 'redirected_outside_site' })
    assert.equal(recorded.requests.length, 2)
  })

  test('follows a redirect inside the site, with the key', async () => {
    const recorded = recordedFetch(redirectAnswer(301, '/t/new/1.json'), jsonAnswer(200, { id: 1 }))
    assert.deepEqual(await clientFor(recorded).get('/t/1.json'), { id: 1 })
    assert.equal(recorded.requests[1]?.url, 'https://forum.example.com/t/new/1.json')
    assert.equal(recorded.requests[1]?.headers.get('user-api-key'), credential.key)
  })

  test('sends the body again after a 307, and asks with GET after a 303', async () => {
    const kept = recordedFetch(redirectAnswer(307, '/b'), jsonAnswer(200, {}))
    await clientFor(kept).post('/a', { one: 1 })
    assert.deepEqual([kept.requests[1]?.method, kept.requests[1]?.body], ['POST', '{"one":1}'])

    const changed = recordedFetch(redirectAnswer(303, '/b'), jsonAnswer(200, {}))
    await clientFor(changed).put('/a', { one: 1 })
    const [, second] = changed.requests
    assert.deepEqual(
      [second?.method, second?.body, second?.headers.get('content-type')],
      ['GET', undefined, null],
    )
  })

  test('gives up on a redirect that goes round in circles', async () => {
    const recorded = recordedFetch(...Array.from({ length: 6 }, () => redirectAnswer(302, '/x')))
    await assert.rejects(clientFor(recorded).get('/x'), { reason: 'redirected_too_often' })
  })

  test('refuses a redirect that a browser hides', async () => {
    const hidden = new Response(null)
    Object.defineProperty(hidden, 'type', { value: 'opaqueredirect' })
    await assert.rejects(clientFor(recordedFetch(() => hidden)).get('/x'), { reason: 'redirect_hidden' })
  })
})

describe('HallpassApiError', () => {
  test('carries the reason, the remedy and the page that a Hallpass gives', async () => {
    const refused = refusal('user_api_key_revoked', { revoked_at: '2026-06-01' })
    const recorded = recordedFetch(jsonAnswer(403, refusalBody(refused, 'https://forum.example.com/errors')))
    await assert.rejects(clientFor(recorded).get('/latest.json'), {
      name: 'HallpassApiError',
      status: 403,
      reason: 'user_api_key_revoked',
      message: 'this key was revoked on 2026-06-01',
      remedy: refused.remedy,
      errorType: 'invalid_access',
      docsUrl: 'https://forum.example.com/errors/user_api_key_revoked',
      waitSeconds: undefined,
    })
  })

  const invalidAccess = { errors: ['You are not permitted…'], error_type: 'invalid_access' }
  const plain: readonly (readonly [string, string, () => Response, string, RegExp])[] = [
    [
      'a GET that the key’s scopes permit',
      'GET',
      jsonAnswer(403, invalidAccess),
      'access_refused',
      /does not say why/,
    ],
    [
      'a POST with a key that may only read',
      'POST',
      jsonAnswer(403, invalidAccess),
      'scope_insufficient',
      /POST \/x\.json needs one of the scopes: write\. this key has: read/,
    ],
    [
      'not signed in',
      'GET',
      jsonAnswer(403, { errors: ['…'], error_type: 'not_logged_in' }),
      'not_signed_in',
      /signed in/,
    ],
    [
      'not found',
      'GET',
      jsonAnswer(404, { errors: ['…'], error_type: 'not_found' }),
      'not_found',
      /no \/x\.json on https/,
    ],
    [
      'a record that cannot be saved',
      'GET',
      jsonAnswer(422, { errors: ['Title is too short'], error_type: 'record_invalid' }),
      'call_refused',
      /with 422: Title is too short$/,
    ],
    [
      'read only',
      'GET',
      jsonAnswer(503, { errors: ['…'], error_type: 'read_only' }),
      'read_only',
      /cannot store/,
    ],
    [
      'a broken site',
      'GET',
      () => new Response('<h1>Oops', { status: 502 }),
      'call_failed',
      /failed at GET .* with 502/,
    ],
    [
      'bare text',
      'GET',
      () => new Response('["BAD CSRF"]', { status: 400 }),
      'call_refused',
      /400: \["BAD CSRF"\]$/,
    ],
  ]
  for (const [what, method, answer, reason, message] of plain) {
    test(`explains what a site without reasons says: ${what}`, async () => {
      const recorded = recordedFetch(answer)
      await assert.rejects(clientFor(recorded).fetch('/x.json', { method }), {
        name: 'HallpassApiError',
        reason,
        message,
        remedy: /./,
      })
    })
  }

  test('does not blame the scopes for a revocation that fails', async () => {
    const recorded = recordedFetch(jsonAnswer(403, invalidAccess))
    await assert.rejects(clientFor(recorded).revoke(), { reason: 'access_refused' })
  })

  test('tells a site that cannot be reached from one that refuses', async () => {
    const refusedConnection = new TypeError('fetch failed', {
      cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
    })
    const recorded = recordedFetch(() => Promise.reject(refusedConnection))
    await assert.rejects(clientFor(recorded).get('/x'), {
      reason: 'site_unreachable',
      message: 'https://forum.example.com cannot be reached: nothing listens there',
    })
  })
})

describe('waiting for a limit to pass', () => {
  const limited = (seconds: number): (() => Response) =>
    jsonAnswer(
      429,
      {
        errors: ['slow down'],
        error_type: 'rate_limit',
        extras: { wait_seconds: seconds, time_left: 'a while' },
      },
      { 'Retry-After': String(seconds) },
    )

  /** Runs `call` on a clock that jumps from timer to timer; tells how far it jumped in all. */
  async function onFakeClock<Result>(
    call: () => Promise<Result>,
  ): Promise<{ result: Result; waitedMs: number }> {
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 })
    try {
      let isDone = false
      const running = call().finally(() => {
        isDone = true
      })
      running.catch(() => {})
      while (!isDone) {
        await new Promise(setImmediate)
        if (!isDone) mock.timers.tick(500)
      }
      const waitedMs = Date.now()
      return { result: await running, waitedMs }
    } finally {
      mock.timers.reset()
    }
  }

  test('waits as long as the site says, then tries again', async () => {
    const recorded = recordedFetch(limited(7), jsonAnswer(200, { ok: true }))
    const waits: number[] = []
    const client = clientFor(recorded, { onWait: ({ waitMs }) => waits.push(waitMs) })
    const { result, waitedMs } = await onFakeClock(() => client.get('/x'))
    assert.deepEqual(result, { ok: true })
    assert.deepEqual(waits, [7000])
    assert.ok(waitedMs >= 7000 && waitedMs <= 9000, `waited ${waitedMs} ms`)
  })

  test('takes the time from Retry-After alone, in seconds or as a date', async () => {
    for (const header of ['4', new Date(4000).toUTCString()]) {
      const recorded = recordedFetch(
        () => new Response('slow down', { status: 429, headers: { 'Retry-After': header } }),
        jsonAnswer(200, {}),
      )
      const { waitedMs } = await onFakeClock(() => clientFor(recorded).get('/x'))
      assert.ok(waitedMs >= 4000 && waitedMs <= 6000, `${header}: waited ${waitedMs} ms`)
    }
  })

  test('sends a body again, for the refused request changed nothing', async () => {
    const recorded = recordedFetch(limited(1), jsonAnswer(200, {}))
    await onFakeClock(() => clientFor(recorded).post('/posts.json', { raw: 'Hello' }))
    assert.equal(recorded.requests[1]?.body, '{"raw":"Hello"}')
  })

  test('tries three times and no more', async () => {
    const recorded = recordedFetch(limited(1), limited(1), limited(1))
    await assert.rejects(
      onFakeClock(() => clientFor(recorded).get('/x')),
      { reason: 'rate_limited', waitSeconds: 1 },
    )
    assert.equal(recorded.requests.length, 3)
  })

  test('does not wait longer than allowed, in all', async () => {
    const tooLong = recordedFetch(limited(61))
    await assert.rejects(clientFor(tooLong).get('/x'), { reason: 'rate_limited', waitSeconds: 61 })

    const twice = recordedFetch(limited(6), limited(6))
    await assert.rejects(
      onFakeClock(() => clientFor(twice, { maximumWaitMs: 10_000 }).get('/x')),
      { reason: 'rate_limited' },
    )
    assert.equal(twice.requests.length, 2)

    const never = recordedFetch(limited(1))
    await assert.rejects(clientFor(never, { maximumWaitMs: 0 }).get('/x'), { reason: 'rate_limited' })
  })

  test('stops waiting when the caller gives up', async () => {
    const giveUp = new AbortController()
    const recorded = recordedFetch(limited(30))
    const client = clientFor(recorded, {
      onWait: () => setImmediate(() => giveUp.abort(new Error('enough'))),
    })
    await assert.rejects(client.get('/x', { signal: giveUp.signal }), /enough/)
    assert.equal(recorded.requests.length, 1)
  })
})

describe('timeoutMs', () => {
  test('bounds the wait for an answer', async () => {
    const silent = createClient(credential, {
      timeoutMs: 5,
      fetch: (_, { signal }) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    })
    await assert.rejects(silent.get('/x'), { reason: 'site_unreachable', message: /no answer within/ })
  })
})
