import type { Case } from '../case.ts'
import { staffOnly } from '../consent.ts'
import { approveDevice, enterCode, poll, polls, requestDevice } from '../device.ts'
import { check, equal, fields, matches, ok, redirect, refusal, sentToSignIn, status } from '../expect.ts'
import { untilRefused, withLimits } from '../limits.ts'
import type { Site } from '../site.ts'
import type { Visitor } from '../visitor.ts'

const page = '/user-api-key/activate.json'
const authorize = '/user-api-key/device/authorize.json'
const deny = '/user-api-key/device/deny.json'
const gone = { state: 'enter_code', expired_code: true }

/** §5.3: the user types the code. */
export const activationCases: readonly Case[] = [
  {
    id: 'P-157',
    title: 'sends a visitor to sign in',
    needs: ['device'],
    async run(site) {
      sentToSignIn(await site.visitor().get(page))
      sentToSignIn(await site.visitor().post(page, { code: 'ABCD-2345' }))
    },
  },
  {
    id: 'P-158',
    title: 'takes no code from an address',
    needs: ['device', 'user'],
    async run(site) {
      // An address stays in histories and logs.
      const { browser } = await site.user()
      const { userCode } = await requestDevice(site)
      const answer = await browser.get(`/user-api-key/activate?code=${userCode}`, { accept: 'html' })
      matches(redirect(answer), /\/user-api-key\/activate$/, 'where it leads', answer)
    },
  },
  {
    id: 'P-159',
    title: 'asks for the code',
    needs: ['device', 'user'],
    async run(site) {
      equal(ok(await (await site.user()).browser.get(page)).state, 'enter_code', 'the state')
    },
  },
  {
    id: 'P-160',
    title: 'shows a waiting request by its link, without an approval token',
    needs: ['device', 'user'],
    async run(site) {
      const { requestToken } = await requestDevice(site)
      const shown = await byLink(site, requestToken)
      equal(shown.state, 'authorize', 'the state')
      equal(shown.request_token, requestToken, 'request_token')
      equal(shown.approval_token, null, 'approval_token')
      fields(shown, ['device_auth', 'no_trust_level', 'invalid_code', 'current_user'], 'the answer')
    },
  },
  {
    id: 'P-161',
    title: 'tells what the request is for',
    needs: ['device', 'user'],
    async run(site) {
      const { requestToken, fields: asked } = await requestDevice(site, { scopes: 'read,write' })
      const { device_auth: shown } = (await byLink(site, requestToken)) as {
        device_auth?: Record<string, unknown>
      }
      equal(shown?.application_name, asked.application_name, 'application_name')
      equal((shown?.localized_scopes as unknown[])?.length, 2, 'the number of labels')
      equal(shown?.write_scope, true, 'write_scope')
      equal(shown?.unregistered_client, true, 'unregistered_client')
      equal(shown?.expires_at, null, 'expires_at')
    },
  },
  {
    id: 'P-162',
    title: 'tells that an unknown link is over',
    needs: ['device', 'user'],
    async run(site) {
      equal(await byLink(site, 'AAAAAAAA'), gone, 'the answer')
    },
  },
  {
    id: 'P-163',
    title: 'binds nothing when a request is only viewed',
    needs: ['device', 'user', 'second user'],
    async run(site) {
      const request = await requestDevice(site)
      await byLink(site, request.requestToken)
      await approveDevice((await site.secondUser()).browser, request)
    },
  },
  {
    id: 'P-164',
    title: 'gives an approval token for the code',
    needs: ['device', 'user'],
    async run(site) {
      const { userCode } = await requestDevice(site)
      const shown = await enterCode((await site.user()).browser, userCode)
      equal(shown.state, 'authorize', 'the state')
      matches(shown.approval_token, /^[0-9a-f]{64}$/, 'approval_token')
    },
  },
  {
    id: 'P-165',
    title: 'takes a code as people type it',
    needs: ['device', 'user'],
    async run(site) {
      const { browser } = await site.user()
      const forms = [
        (code: string) => code.toLowerCase(),
        (code: string) => code.replace('-', ''),
        (code: string) => ` ${code.replace('-', ' ')} `,
      ]
      for (const form of forms) {
        const { userCode } = await requestDevice(site)
        equal((await enterCode(browser, form(userCode))).state, 'authorize', 'the state')
      }
    },
  },
  {
    id: 'P-166',
    title: 'tells that a code is none',
    needs: ['device', 'user'],
    async run(site) {
      const { browser } = await site.user()
      for (const code of ['ZZZZ-2222', 'AB', 'ABCD-23456', '', '🙂🙂🙂🙂🙂🙂🙂🙂']) {
        equal(await enterCode(browser, code), { state: 'enter_code', invalid_code: true }, 'the answer')
      }
    },
  },
  {
    id: 'P-167',
    title: 'binds the request to who typed the code',
    needs: ['device', 'user', 'second user'],
    async run(site) {
      const { userCode } = await requestDevice(site)
      await enterCode((await site.user()).browser, userCode)
      equal(await enterCode((await site.secondUser()).browser, userCode), gone, 'the answer to somebody else')
    },
  },
  {
    id: 'P-168',
    title: 'leaves a request open when somebody may not approve it',
    needs: ['device', 'admin'],
    async run(site) {
      const request = await requestDevice(site)
      await site.settings.with(staffOnly, async () => {
        const shown = await enterCode((await site.user()).browser, request.userCode)
        equal(shown.no_trust_level, true, 'no_trust_level')
        equal(shown.approval_token ?? null, null, 'approval_token')
      })
      await approveDevice((await site.secondUser()).browser, request)
    },
  },
]

/** §5.4 and §5.5: the user decides. */
export const decisionCases: readonly Case[] = [
  {
    id: 'P-169',
    title: 'approves by the approval token',
    needs: ['device', 'user'],
    run: async (site) => approveDevice((await site.user()).browser, await requestDevice(site)),
  },
  {
    id: 'P-170',
    title: 'approves by the link and its own code',
    needs: ['device', 'user'],
    async run(site) {
      const { browser } = await site.user()
      const { requestToken: request, userCode: code } = await requestDevice(site)
      equal(ok(await browser.post(authorize, { request, code })), complete(false), 'the answer')
    },
  },
  {
    id: 'P-171',
    title: 'approves nothing by the link and another’s code',
    needs: ['device', 'user'],
    async run(site) {
      // Whoever sends a link to a victim must not get the victim's approval by it.
      const { browser } = await site.user()
      const mine = await requestDevice(site)
      const other = await requestDevice(site)
      for (const code of [other.userCode, 'ZZZZ-2222']) {
        const shown = ok(await browser.post(authorize, { request: mine.requestToken, code }))
        equal([shown.state, shown.invalid_code], ['authorize', true], 'the state and invalid_code')
        equal(shown.request_token, mine.requestToken, 'request_token')
      }
      await polls(site, mine, 'authorization_pending')
    },
  },
  {
    id: 'P-172',
    title: 'demands a token to approve',
    needs: ['device', 'user'],
    run: async (site) => {
      refusal(await (await site.user()).browser.post(authorize), 400)
    },
  },
  {
    id: 'P-173',
    title: 'takes an approval token from its own session alone',
    needs: ['device', 'user', 'second user'],
    async run(site) {
      const person = await site.user()
      const request = await requestDevice(site)
      const approval_token = await tokenFor(person.browser, request.userCode)
      const others = [(await site.secondUser()).browser, await site.anotherBrowserOf(person)]
      for (const other of others)
        equal(ok(await other.post(authorize, { approval_token })), gone, 'the answer')
      await polls(site, request, 'authorization_pending')
    },
  },
  {
    id: 'P-174',
    title: 'refuses somebody in none of the allowed groups',
    needs: ['device', 'admin'],
    async run(site) {
      const { browser } = await site.user()
      const approval_token = await tokenFor(browser, (await requestDevice(site)).userCode)
      await site.settings.with(staffOnly, async () => {
        refusal(await browser.post(authorize, { approval_token }), 403, 'invalid_access')
      })
    },
  },
  {
    id: 'P-175',
    title: 'checks the request again at approval',
    needs: ['device', 'admin'],
    async run(site) {
      const { browser } = await site.user()
      const request = await requestDevice(site, { scopes: 'read,write' })
      const approval_token = await tokenFor(browser, request.userCode)
      await site.settings.with({ allow_user_api_key_scopes: 'read' }, async () => {
        const answer = await browser.post(authorize, { approval_token })
        check(answer.status === 403 || ok(answer).state !== 'complete', 'it was approved', answer)
      })
      check((await poll(site, request.deviceCode)).status !== 'authorized', 'a key was issued')
    },
  },
  {
    id: 'P-176',
    title: 'ends the code and the link with the approval',
    needs: ['device', 'user'],
    async run(site) {
      const { browser } = await site.user()
      const request = await requestDevice(site)
      await approveDevice(browser, request)
      equal((await enterCode(browser, request.userCode)).state, 'enter_code', 'the state for the code')
      equal(await byLink(site, request.requestToken), gone, 'the answer to the link')
    },
  },
  {
    id: 'P-177',
    title: 'ends the earlier key of the same client',
    needs: ['device', 'user'],
    async run(site) {
      const earlier = await site.approve()
      const request = await requestDevice(site, { client_id: earlier.clientId })
      await approveDevice((await site.user()).browser, request)
      equal(await site.accepts(earlier), false, 'whether the earlier key works')
    },
  },
  {
    id: 'P-178',
    title: 'denies, and does so again',
    needs: ['device', 'user'],
    async run(site) {
      const { browser } = await site.user()
      const approval_token = await tokenFor(browser, (await requestDevice(site)).userCode)
      for (let time = 1; time <= 2; time += 1) {
        equal(ok(await browser.post(deny, { approval_token })), complete(true), `answer ${time}`)
      }
    },
  },
  {
    id: 'P-179',
    title: 'denies nothing by the link',
    needs: ['device', 'user'],
    async run(site) {
      const { browser } = await site.user()
      const request = await requestDevice(site)
      const form = { request: request.requestToken, code: request.userCode }
      equal(ok(await browser.post(deny, form)), gone, 'the answer')
      await polls(site, request, 'authorization_pending')
    },
  },
  {
    id: 'P-180',
    title: 'demands a token to deny',
    needs: ['device', 'user'],
    run: async (site) => {
      refusal(await (await site.user()).browser.post(deny), 400)
    },
  },
  {
    id: 'P-181',
    title: 'cannot deny what is approved',
    needs: ['device', 'user'],
    async run(site) {
      const { browser } = await site.user()
      const request = await requestDevice(site)
      const approval_token = await tokenFor(browser, request.userCode)
      ok(await browser.post(authorize, { approval_token }))
      equal(ok(await browser.post(deny, { approval_token })), gone, 'the answer')
      await polls(site, request, 'authorized')
    },
  },
]

/** §5.7, for those who type. */
export const activationLimitCases: readonly Case[] = [
  {
    id: 'P-194',
    title: 'limits a user to 10 codes a minute',
    needs: ['device', 'admin'],
    async run(site) {
      const { browser } = await site.newUser()
      await browser.csrf()
      await withLimits(site, {}, async () => {
        const { answer, allowed } = await untilRefused(10, (count) =>
          browser.post(page, { code: `ZZZZ-${'23456789ABCDEFG'[count]}222` }, { limited: true }),
        )
        equal(allowed, 10, 'the codes that were looked at', answer)
        refusal(status(answer, 429), 429, 'rate_limit')
      })
    },
  },
]

function complete(denied: boolean): Record<string, unknown> {
  return { state: 'complete', denied }
}

async function tokenFor(browser: Visitor, userCode: string): Promise<string> {
  return matches((await enterCode(browser, userCode)).approval_token, /./, 'approval_token')
}

async function byLink(site: Site, token: string): Promise<Record<string, unknown>> {
  return ok(await (await site.user()).browser.get(`${page}?request=${token}`))
}
