import type { Case, CaseSection } from '../case.ts'
import {
  approveInBrowser,
  approveWithRedirect,
  post,
  refusedApproval,
  staffOnly,
  valueIn,
} from '../consent.ts'
import { keyPair, open, randomText } from '../crypto.ts'
import { check, equal, fields, matches, ok, refusal, status } from '../expect.ts'
import { redirects } from '../site.ts'
import { askingCases } from './asking.ts'

/** §3.3: approving. */
const approvingCases: CaseSection['cases'] = [
  {
    id: 'P-82',
    title: 'demands the required parameters, nonce first',
    needs: ['user'],
    async run(site) {
      const left = { nonce: undefined, scopes: undefined, client_id: undefined }
      const { errors } = await refusedApproval(site, left, [400, undefined])
      check(String(errors).endsWith(': nonce'), 'the text does not end in ": nonce"')
    },
  },
  {
    id: 'P-83',
    title: 'refuses an unknown scope with 403',
    needs: ['user'],
    run: async (site) => {
      await refusedApproval(site, { scopes: 'read,fly' }, [403, 'invalid_access'])
    },
  },
  {
    id: 'P-84',
    title: 'refuses an unusable public key with 400',
    needs: ['user', 'oaep'],
    run: async (site) => {
      await refusedApproval(site, { public_key: 'hello' }, [400, 'invalid_parameters'])
    },
  },
  {
    id: 'P-85',
    title: 'refuses an unknown padding with 400',
    needs: ['user', 'oaep'],
    run: async (site) => {
      await refusedApproval(site, { padding: 'rot13' }, [400, 'invalid_parameters'])
    },
  },
  {
    id: 'P-86',
    title: 'refuses a redirect that is not allowed with 403',
    needs: ['user'],
    run: async (site) => {
      const auth_redirect = `https://unlisted-${randomText()}.example/`
      await refusedApproval(site, { auth_redirect }, [403, 'invalid_access'])
    },
  },
  {
    id: 'P-87',
    title: 'refuses somebody in none of the allowed groups with 403',
    needs: ['admin'],
    run: (site) =>
      site.settings.with(staffOnly, async () => {
        await refusedApproval(site, {}, [403, 'invalid_access'])
      }),
  },
  {
    id: 'P-88',
    title: 'refuses an unusable expiry with 400',
    needs: ['user', 'oaep'],
    async run(site) {
      for (const expires_in_seconds of ['0', 'soon', '99999999999']) {
        await refusedApproval(site, { expires_in_seconds }, [400, 'invalid_parameters'])
      }
    },
  },
  {
    id: 'P-89',
    title: 'refuses a nonce that does not fit with 400',
    needs: ['user', 'oaep'],
    run: async (site) => {
      await refusedApproval(site, { nonce: 'n'.repeat(180) }, [400, 'invalid_parameters'])
    },
  },
  {
    id: 'P-90',
    title: 'tells the size that fits and the size that was needed',
    needs: ['user', 'oaep'],
    async run(site) {
      const { errors } = await refusedApproval(site, { nonce: 'n'.repeat(180) }, [400, 'invalid_parameters'])
      matches(String(errors), /\b245\b/, 'the text')
      matches(String(errors), /\b254\b/, 'the text')
    },
  },
  ...answerCases(),
  ...redirectCases(),
  ...replacementCases(),
  ...programCases(),
]

/** §3: the browser flow. */
export const browserFlowCases: CaseSection = {
  section: 3,
  title: 'browser flow',
  cases: [...askingCases, ...approvingCases],
}

function answerCases(): readonly Case[] {
  return [
    {
      id: 'P-91',
      title: 'answers JSON with payload and instructions',
      needs: ['user'],
      run: async (site) => fields(ok(await post(site, {})), ['payload', 'instructions'], 'the answer'),
    },
    {
      id: 'P-92',
      title: 'names the application in the instructions',
      needs: ['user'],
      async run(site) {
        const application_name = `App ${randomText()}`
        const { instructions } = ok(await post(site, { application_name }))
        check(String(instructions).includes(application_name), 'the instructions do not name it')
      },
    },
    {
      id: 'P-93',
      title: 'shows a browser a page with the payload',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const asked = await site.request()
        const answer = await browser.post('/user-api-key', asked, { accept: 'html' })
        status(answer, 200)
        // Line ends may be there as they are, escaped in JSON, or not at all.
        const text = answer.text
          .replaceAll('&#x2F;', '/')
          .replaceAll('\\/', '/')
          .replace(/\\n|&#10;|\s/g, '')
        const found = /[A-Za-z0-9+/]{342}={0,2}/.exec(text)?.[0]
        check(found !== undefined, 'the page holds no payload', answer)
        await site.issued(found, asked, {}, answer)
      },
    },
    {
      id: 'P-94',
      title: 'answers JSON with redirect_url',
      needs: ['user'],
      async run(site) {
        const { address } = await approveWithRedirect(site, { auth_redirect: redirects.app })
        check(address.startsWith(`${redirects.app}?payload=`), `it leads to ${address}`)
      },
    },
    {
      id: 'P-95',
      title: 'redirects a browser to the app',
      needs: ['user'],
      async run(site) {
        const address = await approveInBrowser(site, { auth_redirect: redirects.app })
        check(address.startsWith(`${redirects.app}?payload=`), `it leads to ${address}`)
      },
    },
  ]
}

function redirectCases(): readonly Case[] {
  return [
    {
      id: 'P-96',
      title: 'keeps the redirect’s own query',
      needs: ['admin'],
      async run(site) {
        const auth_redirect = `${redirects.any}cb?session=a%2Bb&x=1`
        const { address } = await approveWithRedirect(site, { auth_redirect })
        check(address.startsWith(`${auth_redirect}&payload=`), `it leads to ${address}`)
      },
    },
    {
      id: 'P-97',
      title: 'keeps the redirect’s fragment at the end',
      needs: ['admin'],
      async run(site) {
        const { address } = await approveWithRedirect(site, { auth_redirect: redirects.withFragment })
        check(address.startsWith(`${redirects.plain}?payload=`), `it leads to ${address}`)
        check(address.endsWith('#at-the-end'), `it leads to ${address}`)
      },
    },
    {
      id: 'P-98',
      title: 'keeps a redirect without a path',
      needs: ['admin'],
      async run(site) {
        const { address } = await approveWithRedirect(site, { auth_redirect: redirects.noPath })
        matches(address, /^https:\/\/no-path\.conformance\.example\/?\?payload=/, 'the address')
      },
    },
    {
      id: 'P-99',
      title: 'redirects to a scheme of the app’s own',
      needs: ['admin'],
      async run(site) {
        const { address } = await approveWithRedirect(site, { auth_redirect: redirects.ownScheme })
        check(address.startsWith(`${redirects.ownScheme}?payload=`), `it leads to ${address}`)
      },
    },
    {
      id: 'P-100',
      title: 'adds one payload and nothing else',
      needs: ['user'],
      async run(site) {
        const { address } = await approveWithRedirect(site, { auth_redirect: redirects.app })
        const names = [...new URLSearchParams(address.split('?')[1]).keys()]
        equal(names, ['payload'], 'what the redirect carries')
      },
    },
    {
      id: 'P-111',
      title: 'adds a one-time password when that scope was asked for',
      needs: ['user', 'otp'],
      async run(site) {
        const change = { auth_redirect: redirects.app, scopes: 'read,one_time_password' }
        const { address } = await approveWithRedirect(site, change)
        const password = open(valueIn(address, 'oneTimePassword'), await keyPair())
        matches(password, /^[0-9a-f]{32}$/, 'the one-time password')
      },
    },
  ]
}

function replacementCases(): readonly Case[] {
  return [
    {
      id: 'P-101',
      title: 'issues a key that works at once',
      needs: ['user'],
      run: async (site) => equal(await site.accepts(await site.approve()), true, 'whether it works'),
    },
    {
      id: 'P-102',
      title: 'ends the earlier key of the same client',
      needs: ['user'],
      async run(site) {
        const earlier = await site.approve()
        const later = await site.approve({ client_id: earlier.clientId })
        equal(await site.accepts(earlier), false, 'whether the earlier key works')
        equal(await site.accepts(later), true, 'whether the later key works')
      },
    },
    {
      id: 'P-103',
      title: 'leaves the keys of other clients',
      needs: ['user'],
      async run(site) {
        const earlier = await site.approve()
        await site.approve()
        equal(await site.accepts(earlier), true, 'whether it works')
      },
    },
    {
      id: 'P-104',
      title: 'leaves other users’ keys of that client',
      needs: ['user', 'second user'],
      async run(site) {
        const mine = await site.approve()
        await site.approve({ client_id: mine.clientId }, { by: (await site.secondUser()).browser })
        equal(await site.accepts(mine), true, 'whether it works')
      },
    },
    {
      id: 'P-105',
      title: 'leaves the earlier key when it refuses',
      needs: ['user'],
      async run(site) {
        const earlier = await site.approve()
        const client_id = earlier.clientId
        for (const fault of [
          { scopes: 'fly' },
          { auth_redirect: 'https://unlisted.example/' },
          { public_key: 'x' },
        ]) {
          const answer = await post(site, { client_id, ...fault })
          status(answer, 400, 403)
        }
        equal(await site.accepts(earlier), true, 'whether it works')
      },
    },
    {
      id: 'P-106',
      title: 'seals with the key of this request',
      needs: ['user'],
      async run(site) {
        const { clientId: client_id } = await site.approve()
        const pair = await keyPair(2048, 'second')
        await site.approve({ client_id, public_key: pair.pem }, { pair })
        await site.approve({ client_id })
      },
    },
    {
      id: 'P-107',
      title: 'takes a client’s new name over',
      needs: ['user'],
      async run(site) {
        const person = await site.user()
        const { clientId: client_id } = await site.approve()
        const application_name = `Renamed ${randomText()}`
        await site.approve({ client_id, application_name })
        const names = (await site.apps(person)).map((app) => app.application_name)
        check(names.includes(application_name), 'the new name is not among the user’s apps')
      },
    },
  ]
}

function programCases(): readonly Case[] {
  return [
    {
      id: 'P-108',
      title: 'lets a write key approve for its user, if at all',
      needs: ['user'],
      async run(site) {
        const { username } = await site.user()
        const key = await site.approve({ scopes: 'write' })
        const asked = await site.request()
        const answer = await key.api.post('/user-api-key.json', asked)
        if (answer.status === 403) return
        const { api } = await site.issued(String(ok(answer).payload), asked, {}, answer)
        const { current_user: user } = ok(await api.get('/session/current.json')) as {
          current_user?: { username?: string }
        }
        equal(user?.username, username, 'whom the new key acts for')
      },
    },
    {
      id: 'P-109',
      title: 'lets no key without write approve',
      needs: ['user'],
      async run(site) {
        // Otherwise a key that may only read could make itself one that may write.
        for (const scopes of ['read', 'notifications,session_info', 'push']) {
          const key = await site.approve({ scopes })
          refusal(await key.api.post('/user-api-key.json', await site.request()), 403, 'invalid_access')
        }
      },
    },
    {
      id: 'P-110',
      title: 'lets an API key approve for its user',
      needs: ['admin'],
      async run(site) {
        const { username } = await site.user()
        const by = site.program({ 'Api-Key': site.adminKey(), 'Api-Username': username })
        const { api } = await site.approve({}, { by })
        const { current_user: user } = ok(await api.get('/session/current.json')) as {
          current_user?: { username?: string }
        }
        equal(user?.username, username, 'whom the key acts for')
      },
    },
  ]
}
