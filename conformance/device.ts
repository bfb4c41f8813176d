/** What several cases do with the device flow. */
import type { Answer } from './exchange.ts'
import { equal, matches, ok } from './expect.ts'
import type { AuthorizationFields, Site } from './site.ts'
import type { Visitor } from './visitor.ts'

export interface DeviceRequest {
  readonly deviceCode: string
  readonly userCode: string
  readonly requestToken: string
  readonly fields: Readonly<Record<string, string | undefined>>
  readonly answer: Answer
}

/** Asks for a key as an app does. */
export async function requestDevice(
  site: Site,
  change: AuthorizationFields = {},
  by: Visitor = site.program(),
): Promise<DeviceRequest> {
  const fields = await site.request(change)
  const answer = await by.ask('/user-api-key/device.json', { json: fields, csrf: false })
  const body = ok(answer)
  const link = matches(body.verification_uri_with_request, /\?request=/, 'the address', answer)
  return {
    deviceCode: matches(body.device_code, /./, 'device_code', answer),
    userCode: matches(body.user_code, /./, 'user_code', answer),
    requestToken: link.split('request=')[1] ?? '',
    fields,
    answer,
  }
}

/** Types a code, and answers with what is shown. */
export async function enterCode(browser: Visitor, code: string): Promise<Record<string, unknown>> {
  return ok(await browser.post('/user-api-key/activate.json', { code }))
}

/** Types the code and approves. */
export async function approveDevice(browser: Visitor, { userCode }: DeviceRequest): Promise<void> {
  const shown = await enterCode(browser, userCode)
  const token = matches(shown.approval_token, /./, 'approval_token')
  const answer = await browser.post('/user-api-key/device/authorize.json', { approval_token: token })
  equal(ok(answer), { state: 'complete', denied: false }, 'the answer', answer)
}

/** Polls once. */
export async function poll(site: Site, deviceCode: string): Promise<Record<string, unknown>> {
  return ok(await site.program().ask('/user-api-key/device/poll.json', { json: { device_code: deviceCode } }))
}

/** Polls once, and fails unless the status is that. */
export async function polls(site: Site, { deviceCode }: DeviceRequest, expected: string): Promise<void> {
  equal((await poll(site, deviceCode)).status, expected, 'the status of the poll')
}
