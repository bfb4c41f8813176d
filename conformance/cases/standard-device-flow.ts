import type { Case } from '../case.ts'
import { randomText } from '../crypto.ts'
import { enterCode } from '../device.ts'
import type { Answer } from '../exchange.ts'
import { equal, fields, matches, object, ok, status } from '../expect.ts'
import type { Site } from '../site.ts'

/** RFC 8628 over the same requests, codes and pages. */
export const standardDeviceCases: readonly Case[] = [
  {
    id: 'A-22',
    title: 'speaks the standard’s device flow',
    needs: ['rfc8628', 'user'],
    async run(site) {
      const { username, browser } = await site.user()
      const { code, clientId, user } = await begin(site)
      await decide(browser, user, 'authorize')
      const body = ok(await poll(site, code, clientId))
      fields(body, ['access_token', 'token_type'], 'the answer')
      equal(String(body.token_type).toLowerCase(), 'bearer', 'token_type')
      const api = site.program({ authorization: `Bearer ${body.access_token}` })
      const { current_user: who } = ok(await api.get('/session/current.json')) as {
        current_user?: { username?: string }
      }
      equal(who?.username, username, 'whom the token acts for')
      refused(await poll(site, code, clientId), ['expired_token', 'invalid_grant'])
    },
  },
  {
    id: 'A-23',
    title: 'tells a standard client what became of its request',
    needs: ['rfc8628', 'user'],
    async run(site) {
      const { browser } = await site.user()
      const { code, clientId, user } = await begin(site)
      refused(await poll(site, code, clientId), ['authorization_pending'])
      await decide(browser, user, 'deny')
      refused(await poll(site, code, clientId), ['access_denied'])
      refused(await poll(site, randomText(32), clientId), ['expired_token', 'invalid_grant'])
    },
  },
]

async function begin(site: Site): Promise<{ code: string; clientId: string; user: string }> {
  const clientId = `conformance-${randomText(6)}`
  const form = { client_id: clientId, scope: 'read session_info' }
  const answer = await site.program().post('/oauth/device_authorization', form)
  const body = ok(answer)
  fields(
    body,
    ['verification_uri', 'verification_uri_complete', 'expires_in', 'interval'],
    'the answer',
    answer,
  )
  return {
    clientId,
    code: matches(body.device_code, /./, 'device_code', answer),
    user: matches(body.user_code, /./, 'user_code', answer),
  }
}

function poll(site: Site, device_code: string, client_id: string): Promise<Answer> {
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
  return site.program().post('/oauth/token', { grant_type, device_code, client_id })
}

async function decide(
  browser: Awaited<ReturnType<Site['user']>>['browser'],
  userCode: string,
  verb: 'authorize' | 'deny',
): Promise<void> {
  const approval_token = matches((await enterCode(browser, userCode)).approval_token, /./, 'approval_token')
  ok(await browser.post(`/user-api-key/device/${verb}.json`, { approval_token }))
}

function refused(answer: Answer, expected: readonly string[]): void {
  const { error } = object(status(answer, 400))
  equal(expected.includes(String(error)), true, `whether error ${error} is ${expected.join(' or ')}`, answer)
}
