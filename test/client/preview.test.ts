import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { previewAuthorization } from '../../src/client/preview.ts'
import { refusal, refusalBody } from '../../src/protocol/errors.ts'
import { jsonAnswer, recordedFetch, redirectAnswer } from './recorded-fetch.ts'

const url =
  'https://forum.example.com/user-api-key/new?scopes=read&auth_redirect=http%3A%2F%2F127.0.0.1%3A9%2Fx'
const notAllowed = refusalBody(
  refusal('auth_redirect_not_allowed', { auth_redirect: 'http://127.0.0.1:9/x', entry: 'loopback' }),
  'https://forum.example.com/errors',
)

describe('previewAuthorization', () => {
  test('asks the site for the same request, as JSON', async () => {
    const recorded = recordedFetch(redirectAnswer(302, '/login'))
    await previewAuthorization(url, recorded)
    const [request] = recorded.requests
    assert.equal(request?.url, url.replace('/new?', '/new.json?'))
    assert.equal(request?.headers.get('accept'), 'application/json')
  })

  const accepted: readonly (readonly [string, () => Response])[] = [
    ['sends the browser to sign in', redirectAnswer(302, '/login')],
    ['is ready', jsonAnswer(200, { state: 'ready' })],
    ['would ask another account', jsonAnswer(200, { state: 'no_trust_level' })],
    ['answers with a page', () => new Response('<p>Authorize')],
  ]
  for (const [what, answer] of accepted) {
    test(`resolves when the site ${what}`, () => previewAuthorization(url, recordedFetch(answer)))
  }

  for (const status of [200, 403]) {
    test(`throws the reason that a Hallpass gives with ${status}`, async () => {
      const { fetch } = recordedFetch(jsonAnswer(status, { state: 'generic_error', ...notAllowed }))
      await assert.rejects(previewAuthorization(url, { fetch }), {
        name: 'HallpassApiError',
        reason: 'auth_redirect_not_allowed',
        remedy: /loopback/,
      })
    })
  }

  test('names what to look at when the site gives no reason', async () => {
    const { fetch } = recordedFetch(jsonAnswer(200, { state: 'generic_error' }))
    await assert.rejects(previewAuthorization(url, { fetch }), {
      reason: 'authorization_refused',
      remedy: /allowed_user_api_auth_redirects must hold http:\/\/127\.0\.0\.1:9\/x/,
    })
  })

  test('does not take a broken site for a refusal', async () => {
    const { fetch } = recordedFetch(() => new Response('', { status: 500 }))
    await assert.rejects(previewAuthorization(url, { fetch }), { reason: 'site_answer_unexpected' })
  })
})
