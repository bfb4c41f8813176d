import type { Case, CaseSection } from '../case.ts'
import { randomText } from '../crypto.ts'
import { approveDevice, enterCode, poll, polls, requestDevice } from '../device.ts'
import { equal, matches, ok, refusal, status } from '../expect.ts'
import type { IssuedKey, Site } from '../site.ts'
import { activationCases, activationLimitCases, decisionCases } from './device-approvals.ts'
import { deviceRequestCases, deviceRequestLimitCases } from './device-requests.ts'

/** §5.6: the app polls. */
const pollCases: readonly Case[] = [
  {
    id: 'P-182',
    title: 'speaks JSON alone to those who poll',
    needs: ['device'],
    async run(site) {
      const { deviceCode: device_code } = await requestDevice(site)
      status(await site.program().post('/user-api-key/device/poll.json', { device_code }), 403)
      const ask = { json: { device_code }, accept: 'html' } as const
      status(await site.program().ask('/user-api-key/device/poll', ask), 403)
      ok(await site.program().ask('/user-api-key/device/poll', { json: { device_code } }))
    },
  },
  {
    id: 'P-183',
    title: 'demands a device code',
    needs: ['device'],
    async run(site) {
      refusal(await site.program().ask('/user-api-key/device/poll.json', { json: {} }), 400)
    },
  },
  {
    id: 'P-184',
    title: 'tells that a request waits',
    needs: ['device'],
    run: async (site) => polls(site, await requestDevice(site), 'authorization_pending'),
  },
  {
    id: 'P-185',
    title: 'delivers the payload with the first poll after approval',
    needs: ['device', 'user'],
    async run(site) {
      for (const padding of ['pkcs1', 'oaep']) {
        const { text } = await approved(site, { padding })
        matches(text, /^\{"key":"[0-9a-f]{32}","nonce":"[^"]+","push":false,"api":4\}$/, 'the payload')
      }
    },
  },
  {
    id: 'P-186',
    title: 'delivers a key that works',
    needs: ['device', 'user'],
    run: async (site) => equal(await site.accepts(await approved(site)), true, 'whether it works'),
  },
  {
    id: 'P-187',
    title: 'delivers once',
    needs: ['device', 'user'],
    async run(site) {
      const request = await requestDevice(site)
      await approveDevice((await site.user()).browser, request)
      await polls(site, request, 'authorized')
      await polls(site, request, 'expired_token')
      await polls(site, request, 'expired_token')
    },
  },
  {
    id: 'P-188',
    title: 'delivers to one of many polls at the same time',
    needs: ['device', 'user'],
    async run(site) {
      const request = await requestDevice(site)
      await approveDevice((await site.user()).browser, request)
      const answers = await Promise.all(Array.from({ length: 8 }, () => poll(site, request.deviceCode)))
      const delivered = answers.filter(({ payload }) => payload !== undefined)
      equal(delivered.length, 1, 'the number of payloads')
    },
  },
  {
    id: 'P-189',
    title: 'tells that a request was denied, and does so again',
    needs: ['device', 'user'],
    async run(site) {
      const { browser } = await site.user()
      const request = await requestDevice(site)
      const { approval_token } = await enterCode(browser, request.userCode)
      ok(await browser.post('/user-api-key/device/deny.json', { approval_token: String(approval_token) }))
      await polls(site, request, 'access_denied')
      await polls(site, request, 'access_denied')
    },
  },
  {
    id: 'P-190',
    title: 'tells that an unknown code is over',
    needs: ['device'],
    async run(site) {
      for (const code of [randomText(32), 'x', 'ABCD-2345', 'Z'.repeat(300)]) {
        equal(await poll(site, code), { status: 'expired_token' }, 'the answer')
      }
    },
  },
  {
    id: 'P-191',
    title: 'counts the key’s life from the request',
    needs: ['device', 'user'],
    async run(site) {
      const { browser } = await site.user()
      const request = await requestDevice(site, { expires_in_seconds: '3600' })
      const shown = await enterCode(browser, request.userCode)
      const { expires_at: promised } = shown.device_auth as { expires_at?: string }
      await new Promise((resolve) => setTimeout(resolve, 1100))
      await approveDevice(browser, request)
      const { payload } = await delivered(site, request)
      equal(Date.parse(String(payload.expires_at)), Date.parse(String(promised)), 'the moment of expiry')
    },
  },
]

/** §5: the device flow. */
export const deviceFlowCases: CaseSection = {
  section: 5,
  title: 'device flow',
  cases: [
    ...deviceRequestCases,
    ...activationCases,
    ...decisionCases,
    ...pollCases,
    ...deviceRequestLimitCases,
    ...activationLimitCases,
  ],
}

/** A key that came by the device flow. */
async function approved(site: Site, change: Readonly<Record<string, string>> = {}): Promise<IssuedKey> {
  const request = await requestDevice(site, change)
  await approveDevice((await site.user()).browser, request)
  return delivered(site, request)
}

async function delivered(
  site: Site,
  { deviceCode, fields }: Awaited<ReturnType<typeof requestDevice>>,
): Promise<IssuedKey> {
  const answer = await poll(site, deviceCode)
  equal(answer.status, 'authorized', 'the status of the poll')
  return site.issued(String(answer.payload), fields)
}
