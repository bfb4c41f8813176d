import type { Case, CaseSection } from '../case.ts'
import { genericError, post, staffOnly } from '../consent.ts'
import { keyPair } from '../crypto.ts'
import { enterCode, requestDevice } from '../device.ts'
import type { Answer } from '../exchange.ts'
import { check, equal, fields, header, matches, object, ok, redirect, refusal, status } from '../expect.ts'
import { redirects, type Site } from '../site.ts'
import { query } from '../visitor.ts'
import { pageCases } from './added-pages.ts'
import { requestCases } from './added-requests.ts'
import { discoveryCases } from './discovery.ts'
import { narrowingCases } from './narrowing.ts'
import { signatureCase } from './push.ts'
import { standardDeviceCases } from './standard-device-flow.ts'

/** §19: what Hallpass adds. */
export const additionCases: CaseSection = {
  section: 19,
  title: 'additions',
  cases: [
    ...refusalCases(),
    ...requestCases(),
    ...pageCases(),
    ...keyCases(),
    ...standardDeviceCases,
    ...otherCases(),
    ...discoveryCases,
    ...narrowingCases,
  ],
}

const explanation = ['reason', 'message', 'remedy', 'docs_url']

/** Fails unless an answer says why, and where there is more about it. */
async function explains(site: Site, answer: Answer): Promise<Record<string, unknown>> {
  const body = object(answer)
  fields(body, explanation, 'the answer', answer)
  const url = matches(body.docs_url, /^https?:\/\//, 'docs_url', answer)
  check(url.startsWith(site.baseUrl), `docs_url is not on this site: ${url}`, answer)
  status(await site.visitor().get(url.slice(site.baseUrl.length), { accept: 'html' }), 200)
  return body
}

function refusalCases(): readonly Case[] {
  return [
    {
      id: 'A-1',
      title: 'says why, how to mend it, and where there is more',
      needs: ['user'],
      async run(site) {
        await explains(site, await post(site, { scopes: 'fly' }))
        await explains(site, await site.visitor().get('/user-api-key/new.json'))
        await explains(site, await site.program({ 'User-Api-Key': 'x' }).get('/session/current.json'))
      },
    },
    {
      id: 'A-2',
      title: 'says why in generic_error and no_trust_level',
      needs: ['admin'],
      async run(site) {
        await explains(site, await genericError(site, { scopes: 'fly' }))
        await site.settings.with(staffOnly, async () => {
          const { browser } = await site.user()
          const answer = await browser.get(await site.asking())
          equal((await explains(site, answer)).state, 'no_trust_level', 'the state')
        })
      },
    },
    {
      id: 'A-3',
      title: 'names all missing parameters at once',
      async run(site) {
        const { message } = refusal(await site.visitor().get('/user-api-key/new.json'), 400)
        for (const name of ['nonce', 'scopes', 'client_id', 'public_key', 'application_name']) {
          check(String(message).includes(name), `the message does not name ${name}`)
        }
      },
    },
    {
      id: 'A-4',
      title: 'tells a refused CSRF token in a header',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const answer = await browser.post('/user-api-key.json', await site.request(), { csrf: false })
        header(status(answer, 403), 'Hallpass-Reason', 'csrf_invalid')
      },
    },
    {
      id: 'A-20',
      title: 'names the scopes that would do',
      needs: ['user'],
      async run(site) {
        const { api } = await site.approve({ scopes: 'session_info' })
        const { reason, message } = refusal(await api.get('/notifications.json'), 403, 'invalid_access')
        equal(reason, 'scope_insufficient', 'reason')
        for (const scope of ['notifications', 'read', 'write'])
          matches(message, new RegExp(`\\b${scope}\\b`), 'message')
      },
    },
    {
      id: 'A-18',
      title: 'recognises a sealed payload in place of a key',
      needs: ['user'],
      async run(site) {
        const { payload } = ok(await post(site, {}))
        const api = site.program({ 'User-Api-Key': String(payload).replace(/\s/g, '') })
        const { reason } = refusal(await api.get('/session/current.json'), 403, 'invalid_access')
        equal(reason, 'user_api_key_is_payload', 'reason')
      },
    },
    {
      id: 'A-19',
      title: 'recognises a key in the wrong header',
      needs: ['admin'],
      async run(site) {
        const { key } = await site.approve()
        const wrong = [
          [{ 'Api-Key': key, 'Api-Username': (await site.user()).username }, 'user_api_key_sent_as_api_key'],
          [{ 'User-Api-Key': site.adminKey() }, 'api_key_sent_as_user_api_key'],
        ] as const
        for (const [headers, expected] of wrong) {
          const answer = await site.program(headers).get('/session/current.json')
          equal(refusal(answer, 403, 'invalid_access').reason, expected, 'reason')
        }
      },
    },
  ]
}

function keyCases(): readonly Case[] {
  return [
    {
      id: 'A-9',
      title: 'lets read keys ask with HEAD',
      needs: ['user'],
      async run(site) {
        const { api } = await site.approve({ scopes: 'read' })
        status(await api.ask('/session/current.json', { method: 'HEAD' }), 200)
      },
    },
    {
      id: 'A-17',
      title: 'lets no key approve where the site does not want it',
      needs: ['admin'],
      async run(site) {
        const { api } = await site.approve({ scopes: 'write' })
        await site.settings.with({ user_api_key_write_may_mint: 'false' }, async () => {
          refusal(await api.post('/user-api-key.json', await site.request()), 403, 'invalid_access')
        })
        ok(await api.post('/user-api-key.json', await site.request()))
      },
    },
    {
      id: 'A-25',
      title: 'moves no key to a client that is somebody else’s',
      needs: ['user', 'second user'],
      async run(site) {
        const theirs = await site.approve({}, { by: (await site.secondUser()).browser })
        const mine = await site.approve()
        const headers = { 'User-Api-Client-Id': theirs.clientId }
        refusal(await mine.api.get('/session/current.json', { headers }), 403, 'invalid_access')
        equal([await site.accepts(mine), await site.accepts(theirs)], [true, true], 'whether both work')
      },
    },
  ]
}

function otherCases(): readonly Case[] {
  return [
    {
      id: 'A-24',
      title: 'keeps a redirect’s query beside a one-time password',
      needs: ['otp', 'admin'],
      async run(site) {
        const { pem } = await keyPair()
        const auth_redirect = `${redirects.any}cb?session=1`
        const { browser } = await site.user()
        const form = { public_key: pem, auth_redirect, application_name: 'Conformance' }
        const { redirect_url: address } = ok(await browser.post('/user-api-key/otp.json', form))
        check(String(address).startsWith(`${auth_redirect}&oneTimePassword=`), `it leads to ${address}`)
        const search = query({ user_api_public_key: pem, auth_redirect })
        const entered = await site.visitor().get(`/?${search}`, { accept: 'html' })
        equal(redirect(entered), `${auth_redirect}&otp=true`, 'where it leads')
      },
    },
    signatureCase,
    {
      id: 'A-27',
      title: 'turns every limit off',
      needs: ['admin', 'device'],
      async run(site) {
        const { browser } = await site.user()
        const { api } = await site.approve()
        const few = {
          disable_rate_limits: 'true',
          max_user_api_reqs_per_minute: '2',
          max_device_requests_per_minute: '2',
          max_device_code_attempts_per_minute: '2',
        }
        await site.settings.with(few, async () => {
          for (let count = 0; count < 5; count += 1) {
            status(await api.get('/session/current.json', { limited: true }), 200)
            await requestDevice(site)
            await enterCode(browser, 'ZZZZ-2222')
          }
        })
      },
    },
    {
      id: 'A-28',
      title: 'tells administrators who approved which key',
      needs: ['admin'],
      async run(site) {
        const { username } = await site.user()
        const { clientId } = await site.approve()
        const answer = await site.admin().get(`/hallpass/audit.json?client_id=${clientId}`)
        const { entries } = ok(answer) as { entries?: { actor?: { username?: string } }[] }
        check(Array.isArray(entries) && entries.length > 0, 'there is no entry', answer)
        equal(entries[0]?.actor?.username, username, 'who acted', answer)
        status(await (await site.user()).browser.get('/hallpass/audit.json'), 404)
      },
    },
  ]
}
