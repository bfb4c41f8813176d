/**
 * A client that follows RFC 8628 and RFC 6749 to the letter and accepts nothing else: it knows of Hallpass only what
 * the standards say. Time passes by `wait`.
 */
import assert from 'node:assert/strict'

type Fields = Readonly<Record<string, string>>
type Send = (path: string, init: RequestInit) => Promise<Response>

export interface DeviceAuthorization {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in?: number
  readonly scope: string
}

export interface OAuthFailure {
  readonly http: number
  readonly error: string
  readonly error_description: string
  readonly reason: string
  readonly remedy: string
}

export interface Rfc8628Client {
  authorize(fields: Fields): Promise<DeviceAuthorization>
  refusedAuthorization(fields: Fields): Promise<OAuthFailure>
  /** One request of the token endpoint (§3.4). */
  token(deviceCode: string, change?: Fields): Promise<TokenAnswer | OAuthFailure>
  /** Polls until there is an answer (§3.5); `wait` is told how many seconds to let pass. */
  poll(
    asked: DeviceAuthorization,
    wait: (seconds: number) => Promise<void>,
  ): Promise<TokenAnswer | OAuthFailure>
}

export function rfc8628Client(send: Send, clientId: string): Rfc8628Client {
  const post = async (path: string, fields: Fields): Promise<[Response, Record<string, unknown>]> => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
    const response = await send(path, {
      method: 'POST',
      headers,
      body: new URLSearchParams(fields).toString(),
    })
    // RFC 6749 §5.1
    assert.match(response.headers.get('content-type') ?? '', /^application\/json\b/)
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(response.headers.get('pragma'), 'no-cache')
    assert.equal(response.headers.get('set-cookie'), null)
    return [response, await response.json()]
  }
  const authorize = (fields: Fields) =>
    post('/oauth/device_authorization', { client_id: clientId, ...fields })

  const token: Rfc8628Client['token'] = async (deviceCode, change = {}) => {
    const [response, body] = await post('/oauth/token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: deviceCode,
      client_id: clientId,
      ...change,
    })
    if (response.status !== 200) return failure(response, body)
    assert.match(String(body.access_token), /^[\x20-\x7e]+$/)
    assert.match(String(body.token_type), /^bearer$/i)
    if (body.expires_in !== undefined) assert.ok(Number.isInteger(body.expires_in))
    return body as unknown as TokenAnswer
  }

  return {
    token,
    async authorize(fields) {
      const [response, body] = await authorize(fields)
      assert.equal(response.status, 200)
      for (const name of ['device_code', 'user_code', 'verification_uri', 'verification_uri_complete']) {
        assert.equal(typeof body[name], 'string', name)
      }
      assert.ok(Number.isInteger(body.expires_in) && Number(body.expires_in) > 0)
      assert.ok(Number.isInteger(body.interval))
      return body as unknown as DeviceAuthorization
    },
    async refusedAuthorization(fields) {
      return failure(...(await authorize(fields)))
    },
    async poll(asked, wait) {
      let { interval } = asked
      for (let waited = 0; waited < asked.expires_in; waited += interval) {
        await wait(interval)
        const answer = await token(asked.device_code)
        if (!('error' in answer)) return answer
        if (answer.error === 'slow_down') interval += 5
        else if (answer.error !== 'authorization_pending') return answer
      }
      throw new Error('the device code has expired without an answer')
    },
  }
}

/** RFC 6749 §5.2, and what Hallpass puts beside it. */
function failure(response: Response, body: Record<string, unknown>): OAuthFailure {
  assert.ok(response.status === 400 || response.status === 429, `status ${response.status}`)
  assert.match(String(body.error), /^[a-z_]+$/)
  assert.match(String(body.error_description), /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  assert.ok(URL.canParse(String(body.error_uri)))
  assert.equal(typeof body.reason, 'string')
  assert.equal(typeof body.remedy, 'string')
  return { http: response.status, ...body } as unknown as OAuthFailure
}
