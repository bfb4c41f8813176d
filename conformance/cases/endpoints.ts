import type { CaseSection } from '../case.ts'
import { approveInBrowser, ready } from '../consent.ts'
import { keyPair, randomText } from '../crypto.ts'
import { enterCode, requestDevice } from '../device.ts'
import { check, equal, ok, refusal, sealedHeaders, status } from '../expect.ts'
import { redirects, type Site } from '../site.ts'
import { query, type Visitor } from '../visitor.ts'

/** §1: which routes there are, who is let in, CSRF tokens, and headers. */
export const endpointCases: CaseSection = {
  section: 1,
  title: 'endpoints',
  cases: [
    {
      id: 'P-1',
      title: 'serves GET /user-api-key/new with and without .json',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const parameters = query(await site.request())
        const one = ok(await browser.get(`/user-api-key/new.json?${parameters}`, { accept: 'none' }))
        equal(ok(await browser.get(`/user-api-key/new?${parameters}`)), one, 'the answer without .json')
      },
    },
    {
      id: 'P-2',
      title: 'serves POST /user-api-key with and without .json',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        for (const [path, accept] of [
          ['/user-api-key.json', 'none'],
          ['/user-api-key', 'json'],
        ] as const) {
          const answer = await browser.post(path, await site.request(), { accept })
          equal(Object.keys(ok(answer)).includes('payload'), true, `payload in the answer to ${path}`, answer)
        }
      },
    },
    {
      id: 'P-3',
      title: 'serves POST /user-api-key/revoke with and without .json',
      needs: ['user'],
      async run(site) {
        for (const path of ['/user-api-key/revoke', '/user-api-key/revoke.json']) {
          const key = await site.approve()
          equal(ok(await key.api.post(path)).success, 'OK', `success of ${path}`)
          equal(await site.accepts(key), false, 'whether the key still works')
        }
      },
    },
    {
      id: 'P-4',
      title: 'reads parameters from a form, from JSON and from the query of a POST',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const given = await site.request()
        const asForm = await browser.post('/user-api-key.json', given)
        const asJson = await browser.ask('/user-api-key.json', { json: given })
        const asQuery = await browser.post(`/user-api-key.json?${query(given)}`)
        for (const answer of [asForm, asJson, asQuery]) {
          await site.issued(String(ok(answer).payload), given, {}, answer)
        }
      },
    },
    {
      id: 'P-5',
      title: 'takes an empty JSON body as one without parameters',
      needs: ['user'],
      async run(site) {
        const key = await site.approve()
        const ask = { method: 'POST', raw: '', headers: { 'content-type': 'application/json' } }
        ok(await key.api.ask('/user-api-key/revoke', ask))
        equal(await site.accepts(key), false, 'whether the key still works')
      },
    },
    {
      id: 'P-6',
      title: 'ignores parameters that it does not know',
      needs: ['user'],
      run: async (site) => {
        await ready(site, { discourse_app: '1', colour: 'green' })
      },
    },
    ...anonymousCases(),
    ...csrfCases(),
    {
      id: 'P-22',
      title: 'seals GET /user-api-key/new from caches',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const parameters = query(await site.request())
        sealedHeaders(await browser.get(`/user-api-key/new.json?${parameters}`))
        sealedHeaders(await browser.get(`/user-api-key/new?${parameters}`, { accept: 'html' }))
        sealedHeaders(await site.visitor().get(`/user-api-key/new?${parameters}`, { accept: 'html' }))
      },
    },
    {
      id: 'P-23',
      title: 'seals POST /user-api-key from caches, redirects too',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const shown = await browser.post('/user-api-key', await site.request(), { accept: 'html' })
        sealedHeaders(shown)
        sealedHeaders(await browser.post('/user-api-key.json', await site.request()))
        const change = { auth_redirect: redirects.app }
        sealedHeaders(await browser.post('/user-api-key', await site.request(change), { accept: 'html' }))
        await approveInBrowser(site, change)
      },
    },
    {
      id: 'P-24',
      title: 'seals the device flow’s requests and polls from caches',
      needs: ['device'],
      async run(site) {
        const { answer, deviceCode } = await requestDevice(site)
        sealedHeaders(answer)
        sealedHeaders(
          await site.program().ask('/user-api-key/device/poll.json', { json: { device_code: deviceCode } }),
        )
      },
    },
    {
      id: 'P-25',
      title: 'seals the activation page from caches',
      needs: ['device', 'user'],
      async run(site) {
        const { browser } = await site.user()
        sealedHeaders(await browser.get('/user-api-key/activate.json'))
        sealedHeaders(await browser.get('/user-api-key/activate', { accept: 'html' }))
        sealedHeaders(await browser.post('/user-api-key/activate.json', { code: 'AAAA-AAAA' }))
      },
    },
    {
      id: 'P-26',
      title: 'seals device approval and denial from caches',
      needs: ['device', 'user'],
      async run(site) {
        const { browser } = await site.user()
        for (const verb of ['authorize', 'deny']) {
          const { userCode } = await requestDevice(site)
          const { approval_token } = await enterCode(browser, userCode)
          sealedHeaders(
            await browser.post(`/user-api-key/device/${verb}.json`, {
              approval_token: String(approval_token),
            }),
          )
        }
      },
    },
    {
      id: 'P-27',
      title: 'seals one-time passwords from caches',
      needs: ['otp', 'user'],
      async run(site) {
        const { browser } = await site.user()
        const asked = await otpRequest()
        sealedHeaders(await browser.get(`/user-api-key/otp.json?${query(asked)}`))
        sealedHeaders(await browser.post('/user-api-key/otp.json', asked))
      },
    },
  ],
}

async function otpRequest(): Promise<Record<string, string>> {
  const { pem } = await keyPair()
  return { application_name: 'Conformance', public_key: pem, auth_redirect: redirects.app }
}

function anonymousCases(): CaseSection['cases'] {
  const routes = [
    { id: 'P-7', path: '/user-api-key', needs: [] },
    { id: 'P-8', path: '/user-api-key/revoke', needs: [] },
    { id: 'P-9', path: '/user-api-key/undo-revoke', needs: [] },
    { id: 'P-10', path: '/user-api-key/otp', needs: ['otp'] },
    { id: 'P-11', path: '/user-api-key/device/authorize', needs: ['device'] },
    { id: 'P-12', path: '/user-api-key/device/deny', needs: ['device'] },
  ] as const
  return routes.map(({ id, path, needs }) => ({
    id,
    title: `refuses POST ${path} of somebody who is not signed in`,
    needs: [...needs],
    async run(site) {
      refusal(await site.visitor().post(`${path}.json`, await anything(site)), 403, 'not_logged_in')
    },
  }))
}

/** Good parameters for every route of this section at once. */
async function anything(site: Site): Promise<Record<string, string | undefined>> {
  return {
    ...(await site.request({ auth_redirect: redirects.app })),
    id: '1',
    approval_token: randomText(32),
  }
}

function csrfCases(): CaseSection['cases'] {
  return [
    {
      id: 'P-13',
      title: 'refuses an approval without CSRF token, and issues nothing',
      needs: ['user'],
      async run(site) {
        // Otherwise any page that a user visits could approve an app in their name.
        const { browser } = await site.user()
        const key = await site.approve()
        const again = await site.request({ client_id: key.clientId })
        badCsrf(await browser.post('/user-api-key.json', again, { csrf: false }))
        badCsrf(await browser.post('/user-api-key', again, { csrf: false, accept: 'html' }), 'html')
        equal(await site.accepts(key), true, 'whether the earlier key still works')
      },
    },
    {
      id: 'P-14',
      title: 'refuses an approval with a CSRF token that is not the session’s',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        for (const csrf of ['x', randomText(32), await site.visitor().csrf()]) {
          badCsrf(await browser.post('/user-api-key.json', await site.request(), { csrf }))
        }
      },
    },
    ...(
      [
        ['P-15', ['/user-api-key/revoke'], []],
        ['P-16', ['/user-api-key/undo-revoke'], []],
        ['P-17', ['/user-api-key/otp'], ['otp']],
        ['P-18', ['/user-api-key/device/authorize', '/user-api-key/device/deny'], ['device']],
      ] as const
    ).map(([id, paths, needs]): CaseSection['cases'][number] => ({
      id,
      title: `refuses POST ${paths.join(' and ')} without CSRF token`,
      needs: ['user', ...needs],
      async run(site) {
        const { browser } = await site.user()
        for (const path of paths) {
          badCsrf(await browser.post(`${path}.json`, await anything(site), { csrf: false }))
        }
      },
    })),
    {
      id: 'P-19',
      title: 'takes the CSRF token in the form',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const form = { ...(await site.request()), authenticity_token: await browser.csrf() }
        ok(await browser.post('/user-api-key.json', form, { csrf: false }))
      },
    },
    {
      id: 'P-20',
      title: 'asks no CSRF token of the device flow’s apps',
      needs: ['device', 'user'],
      async run(site) {
        const { browser } = await site.user()
        const { deviceCode } = await requestDevice(site, {}, browser)
        const json = { device_code: deviceCode }
        ok(await browser.ask('/user-api-key/device/poll.json', { json, csrf: false }))
      },
    },
    {
      id: 'P-21',
      title: 'asks no CSRF token of a client that registers',
      needs: ['registration', 'user'],
      async run(site) {
        const { browser } = await site.user()
        const answer = await browser.post('/user-api-key-client.json', {}, { csrf: false })
        refusal(answer, 400)
      },
    },
  ]
}

/** A page shown to a browser may say it in other words; the status is the same. */
function badCsrf(answer: Awaited<ReturnType<Visitor['get']>>, to: 'json' | 'html' = 'json'): void {
  status(answer, 403)
  if (to === 'json') check(answer.text.includes('BAD CSRF'), 'the body does not say BAD CSRF', answer)
}
