/** A site with an app and two users in the middle of the device flow, for its tests. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { HallpassOptions } from '../../src/server/create-hallpass.ts'
import { appPublicKey, type Browser, createTestSite, type TestSite, userPassword } from '../test-site.ts'

export const json = { accept: 'application/json' }
export const html = { accept: 'text/html' }

export interface Codes {
  readonly device_code: string
  readonly user_code: string
  /** The token of the activation link. */
  readonly request: string
}

type Answer = Record<string, unknown>

export interface DeviceSite extends TestSite {
  /** Sends an ordinary request for a key, with a change. */
  send(change?: Answer, path?: string): Promise<Response>
  requestKey(change?: Answer): Promise<Codes>
  poll(code: unknown, path?: string): Promise<Answer>
  /** Takes a step as a visitor; the answer's status is in `http`. */
  act(visitor: Browser, step: string, form: Record<string, string>): Promise<Answer>
  /** Types the code; answers with the approval token. */
  enter(visitor: Browser, code: string): Promise<string>
  setting(name: string, value: string): Promise<void>
}

/** With real randomness, because codes must differ, and the users `sam` and `eve`. */
export async function createDeviceSite(options: Partial<HallpassOptions> = {}): Promise<DeviceSite> {
  const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) }
  const site = await createTestSite({ random, ...options })
  const eve = { username: 'eve', password: userPassword, name: '', email: 'eve@hallpass.test', admin: false }
  assert.equal((await site.hallpass.createAccount(eve)).outcome, 'created')

  const send: DeviceSite['send'] = (change = {}, path = '/user-api-key/device.json') =>
    site.request(path, { json: deviceParameters(change), headers: json })
  const act: DeviceSite['act'] = async (visitor, step, form) =>
    answerOf(await visitor.post(`/user-api-key/${step}.json`, form, json))
  return {
    ...site,
    send,
    act,
    async requestKey(change) {
      const answer = await (await send(change)).json()
      const link = new URL(answer.verification_uri_with_request)
      return { ...answer, request: link.searchParams.get('request') ?? '' }
    },
    async poll(code, path = '/user-api-key/device/poll.json') {
      return answerOf(await site.request(path, { json: { device_code: code }, headers: json }))
    },
    async enter(visitor, code) {
      const model = await act(visitor, 'activate', { code })
      assert.equal(model.state, 'authorize')
      return String(model.approval_token)
    },
    async setting(name, value) {
      const path = `/admin/site_settings/${name}.json`
      assert.equal((await site.asAdmin(path, { method: 'PUT', form: { [name]: value } })).status, 200)
    },
  }
}

/** The parameters of an ordinary device request. */
export function deviceParameters(change: Answer = {}): Answer {
  return {
    nonce: 'nonce-1',
    scopes: 'read',
    client_id: 'client-1',
    public_key: appPublicKey,
    application_name: 'My terminal',
    ...change,
  }
}

export const complete: Answer = { http: 200, state: 'complete', denied: false }
export const denied: Answer = { http: 200, state: 'complete', denied: true }
export const gone: Answer = { http: 200, state: 'enter_code', expired_code: true }
export const wrong: Answer = { http: 200, state: 'enter_code', invalid_code: true }
export const pending: Answer = { http: 200, status: 'authorization_pending' }
export const expired: Answer = { http: 200, status: 'expired_token' }

export async function assertLimited(response: Response, limit: string): Promise<void> {
  assert.equal(response.status, 429)
  const answer = await response.json()
  assert.equal(answer.reason, 'rate_limited')
  assert.match(answer.message, new RegExp(limit))
  assert.equal(response.headers.get('retry-after'), String(answer.extras.wait_seconds))
  assert.equal(response.headers.get('discourse-rate-limit-error-code'), null)
}

async function answerOf(response: Response): Promise<Answer> {
  return { http: response.status, ...(await response.json()) }
}
