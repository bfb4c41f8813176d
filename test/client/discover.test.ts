import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { discover } from '../../src/client/discover.ts'
import { jsonAnswer, recordedFetch } from './recorded-fetch.ts'

/** What a network's answer has and a made one lacks: where it came from, and how it may be read. */
function probe(
  status: number,
  headers: Record<string, string>,
  change: Record<string, unknown> = {},
): () => Response {
  return () => {
    const response = new Response(null, { status, headers })
    for (const [name, value] of Object.entries(change)) Object.defineProperty(response, name, { value })
    return response
  }
}

const info = jsonAnswer(200, { title: 'A forum', description: 'About things.', login_required: true })
/** What most sites answer when they are asked what they publish. */
const nothingPublished = (): Response => new Response('<p>no', { status: 404 })
const version4 = { 'Auth-Api-Version': '4' }

describe('discover', () => {
  test('tells what the site is and can do', async () => {
    const recorded = recordedFetch(
      nothingPublished,
      probe(200, { ...version4, 'Auth-Api-Device-Code': 'true' }),
      info,
    )
    assert.deepEqual(await discover('forum.example.com/', { fetch: recorded.fetch }), {
      baseUrl: 'https://forum.example.com',
      apiVersion: 4,
      deviceCode: true,
      title: 'A forum',
      description: 'About things.',
      loginRequired: true,
      narrowsScopes: false,
      scopes: null,
    })
    assert.deepEqual(
      recorded.requests.map(({ method, url }) => `${method} ${url}`),
      [
        'GET https://forum.example.com/.well-known/hallpass',
        'HEAD https://forum.example.com/user-api-key/new',
        'GET https://forum.example.com/site/basic-info.json',
      ],
    )
  })

  test('learns the canonical address from redirects', async () => {
    const url = 'https://www.example.com/forum/user-api-key/new'
    const recorded = recordedFetch(nothingPublished, probe(200, version4, { url }), info)
    const site = await discover('http://example.com', { fetch: recorded.fetch })
    assert.equal(site.baseUrl, 'https://www.example.com/forum')
    assert.equal(recorded.requests[2]?.url, 'https://www.example.com/forum/site/basic-info.json')
  })

  test('takes a site that does not tell its name', async () => {
    const recorded = recordedFetch(
      nothingPublished,
      probe(200, version4),
      () => new Response('<p>no', { status: 404 }),
    )
    const site = await discover('forum.example.com', { fetch: recorded.fetch })
    assert.deepEqual([site.title, site.loginRequired, site.deviceCode], [null, null, false])
  })

  test('leaves the version open where a browser hides it', async () => {
    const recorded = recordedFetch(nothingPublished, probe(200, {}, { type: 'cors' }), info)
    assert.equal((await discover('forum.example.com', { fetch: recorded.fetch })).apiVersion, null)
  })

  const refused: readonly (readonly [string, () => Response, string, RegExp])[] = [
    ['404', probe(404, {}), 'site_without_api', /new answers 404$/],
    ['no version', probe(200, {}), 'site_without_api', /without the header Auth-Api-Version$/],
    [
      'a redirect to another page',
      probe(200, version4, { url: 'https://forum.example.com/login' }),
      'site_without_api',
      /with a redirect to https:\/\/forum\.example\.com\/login$/,
    ],
    ['version 1', probe(200, { 'Auth-Api-Version': '1' }), 'site_version_unsupported', /version 1 of/],
    ['a version that is no number', probe(200, { 'Auth-Api-Version': 'x' }), 'site_version_unsupported', /./],
    ['502', probe(502, {}), 'site_answer_unexpected', /answers 502/],
  ]
  for (const [what, answer, reason, message] of refused) {
    test(`refuses a site that answers with ${what}`, async () => {
      const { fetch } = recordedFetch(nothingPublished, answer)
      await assert.rejects(discover('https://forum.example.com', { fetch }), { reason, message })
    })
  }

  test('says when nothing listens at the address', async () => {
    await assert.rejects(discover('http://127.0.0.1:1'), {
      reason: 'site_unreachable',
      message: /127\.0\.0\.1:1/,
    })
  })
})

describe('discover, where the site publishes what it offers', () => {
  const scope = { name: 'read', label: 'Read', description: 'GET of all.', allowed: true, write: false }
  const published = {
    version: 1,
    issuer: 'https://forum.example.com',
    protocol_version: 4,
    title: 'A forum',
    description: 'About things.',
    login_required: false,
    flows: { browser: {}, device: { interval: 5 }, oauth_device: null },
    narrowing: { parameter: 'scope_parameters' },
    scopes: [
      scope,
      {
        ...scope,
        name: 'user_status',
        allowed: false,
        routes: [{ restrictable: ['id', 'state'] }, null, { restrictable: ['id', 7] }],
      },
    ],
  }

  test('asks nothing else', async () => {
    const recorded = recordedFetch(jsonAnswer(200, published))
    assert.deepEqual(await discover('forum.example.com', { fetch: recorded.fetch }), {
      baseUrl: 'https://forum.example.com',
      apiVersion: 4,
      deviceCode: true,
      title: 'A forum',
      description: 'About things.',
      loginRequired: false,
      narrowsScopes: true,
      scopes: [
        { name: 'read', label: 'Read', description: 'GET of all.', allowed: true, restrictable: [] },
        {
          name: 'user_status',
          label: 'Read',
          description: 'GET of all.',
          allowed: false,
          restrictable: ['id', 'state'],
        },
      ],
    })
    assert.equal(recorded.requests.length, 1)
  })

  test('learns the canonical address from redirects', async () => {
    const url = 'https://www.example.com/forum/.well-known/hallpass'
    const answer = (): Response => {
      const response = Response.json({ ...published, issuer: 'https://www.example.com/forum' })
      Object.defineProperty(response, 'url', { value: url })
      return response
    }
    const site = await discover('http://example.com', { fetch: recordedFetch(answer).fetch })
    assert.equal(site.baseUrl, 'https://www.example.com/forum')
  })

  test('leaves out scopes whose names could not stand in a command line', async () => {
    const scopes = [
      { ...scope, name: '$(id)' },
      { ...scope, name: 'a b' },
      { name: 7 },
      null,
      { name: 'shop:orders' },
    ]
    const { fetch } = recordedFetch(jsonAnswer(200, { ...published, scopes }))
    assert.deepEqual((await discover('forum.example.com', { fetch })).scopes, [
      { name: 'shop:orders', label: 'shop:orders', description: '', allowed: false, restrictable: [] },
    ])
  })

  // A document that speaks for another address would send the app's users there.
  const notTaken: readonly (readonly [string, () => Response | Promise<Response>])[] = [
    ['speaks for another address', jsonAnswer(200, { ...published, issuer: 'https://evil.example' })],
    ['names no version', jsonAnswer(200, { ...published, protocol_version: undefined })],
    ['is a list', jsonAnswer(200, [])],
    ['is a page', () => new Response('<p>', { headers: { 'content-type': 'text/html' } })],
    ['is a fault', jsonAnswer(502, {})],
    ['cannot be fetched, as by a page of another origin', () => Promise.reject(new TypeError('failed'))],
  ]
  for (const [what, answer] of notTaken) {
    test(`goes by the probe where what is published ${what}`, async () => {
      const recorded = recordedFetch(answer, probe(200, version4), info)
      const site = await discover('forum.example.com', { fetch: recorded.fetch })
      assert.deepEqual([site.baseUrl, site.scopes], ['https://forum.example.com', null])
      assert.equal(recorded.requests.length, 3)
    })
  }

  test('throws the signal’s own reason when it was aborted', async () => {
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    await assert.rejects(discover('forum.example.com', { ...recordedFetch(), signal: stop.signal }), /enough/)
  })
})
