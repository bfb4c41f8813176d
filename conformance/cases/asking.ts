import type { Case, CaseSection } from '../case.ts'
import { genericError, ready, staffOnly } from '../consent.ts'
import { keyPair, randomText } from '../crypto.ts'
import type { Answer } from '../exchange.ts'
import { check, equal, fields, header, matches, ok, refusal, sentToSignIn, status } from '../expect.ts'
import { redirects, type Site } from '../site.ts'

/** §3.1 and §3.2: probing, and asking for consent. */
export const askingCases: CaseSection['cases'] = [
  {
    id: 'P-51',
    title: 'answers the probe with 200 and no body',
    async run(site) {
      equal(status(await probe(site), 200).text, '', 'the body')
    },
  },
  {
    id: 'P-52',
    title: 'tells the version in the probe',
    run: async (site) => {
      header(await probe(site), 'Auth-Api-Version', '4')
    },
  },
  {
    id: 'P-53',
    title: 'looks at no parameter in the probe',
    run: async (site) => {
      status(await probe(site, '?scopes=nonsense&padding=rot13&auth_redirect=x'), 200)
    },
  },
  {
    id: 'P-54',
    title: 'announces the device flow when it is there',
    async run(site) {
      const answer = await probe(site)
      const device = await site.program().ask('/user-api-key/device.json', { json: {} })
      const announced = answer.header('Auth-Api-Device-Code')
      equal(announced, device.status === 404 ? undefined : 'true', 'Auth-Api-Device-Code', answer)
    },
  },
  ...genericErrors(),
  {
    id: 'P-58',
    title: 'answers an unknown padding with 400',
    needs: ['oaep'],
    async run(site) {
      const answer = await site.visitor().get(await site.asking({ padding: 'rot13' }))
      refusal(answer, 400, 'invalid_parameters')
    },
  },
  {
    id: 'P-62',
    title: 'looks at scopes before padding',
    needs: ['oaep'],
    async run(site) {
      await genericError(site, { scopes: 'fly', padding: 'rot13' })
      const answer = await site.visitor().get(await site.asking({ padding: 'rot13' }))
      status(answer, 400)
    },
  },
  {
    id: 'P-63',
    title: 'sends a visitor to sign in',
    async run(site) {
      const path = (await site.asking()).replace('.json', '')
      sentToSignIn(await site.visitor().get(path, { accept: 'html' }))
    },
  },
  {
    id: 'P-64',
    title: 'sends a visitor who asks for JSON to sign in too',
    run: async (site) => sentToSignIn(await site.visitor().get(await site.asking())),
  },
  ...readyCases(),
  ...displayHostCases(),
  {
    id: 'P-77',
    title: 'tells somebody who may not approve so',
    needs: ['admin'],
    run: (site) =>
      site.settings.with(staffOnly, async () => {
        const { browser, username } = await site.user()
        const answer = await browser.get(await site.asking({ application_name: 'Not for you' }))
        const model = ok(answer)
        equal(model.state, 'no_trust_level', 'the state', answer)
        equal(model.application_name, 'Not for you', 'application_name', answer)
        equal((model.current_user as { username?: string })?.username, username, 'current_user', answer)
      }),
  },
  {
    id: 'P-78',
    title: 'lets staff approve whatever their groups',
    needs: ['admin'],
    run: (site) =>
      site.settings.with(staffOnly, async () => {
        const person = await site.newUser()
        await site.changeUser(person, 'grant_moderation')
        await ready(site, {}, person.browser)
      }),
  },
  {
    id: 'P-79',
    title: 'takes a push address that is not listed',
    needs: ['user'],
    async run(site) {
      const push_url = 'https://push.conformance.example/unlisted'
      const model = await ready(site, { push_url, scopes: 'read,push' })
      equal(model.push_url, push_url, 'push_url')
    },
  },
  {
    id: 'P-80',
    title: 'shows a browser a page that names the application, escaped',
    needs: ['user'],
    async run(site) {
      // A name is free text from a stranger.
      const name = `App ${randomText()} <script>alert(1)</script>`
      const { browser } = await site.user()
      const path = (await site.asking({ application_name: name })).replace('.json', '')
      const answer = await browser.get(path, { accept: 'html' })
      header(status(answer, 200), 'Content-Type', /^text\/html/)
      check(answer.text.includes(name.slice(0, 20)), 'the page does not name the application', answer)
      check(!answer.text.includes('<script>alert(1)'), 'the page holds the name unescaped', answer)
    },
  },
  {
    id: 'P-81',
    title: 'changes nothing when consent is only looked at',
    needs: ['user'],
    async run(site) {
      const key = await site.approve()
      await ready(site, { client_id: key.clientId })
      equal(await site.accepts(key), true, 'whether the earlier key still works')
    },
  },
]

function probe(site: Site, search = ''): Promise<Answer> {
  return site.visitor().ask(`/user-api-key/new${search}`, { method: 'HEAD' })
}

function genericErrors(): readonly Case[] {
  return [
    {
      id: 'P-55',
      title: 'answers an unknown scope with generic_error',
      run: async (site) => {
        await genericError(site, { scopes: 'read,fly' })
      },
    },
    {
      id: 'P-56',
      title: 'answers a scope that is not offered with generic_error',
      needs: ['admin'],
      run: (site) =>
        site.settings.with({ allow_user_api_key_scopes: 'read|session_info' }, async () => {
          await genericError(site, { scopes: 'read,write' })
        }),
    },
    {
      id: 'P-57',
      title: 'answers an unusable public key with generic_error',
      async run(site) {
        const { pem } = await keyPair()
        for (const public_key of ['hello', pem.slice(0, 120), pem.replace(/[a-z]/, '!')]) {
          await genericError(site, { public_key })
        }
      },
    },
    {
      id: 'P-59',
      title: 'answers a redirect that is not allowed with generic_error',
      run: async (site) => {
        await genericError(site, { auth_redirect: `https://unlisted-${randomText()}.example/` })
      },
    },
    {
      id: 'P-60',
      title: 'answers an unusable expiry with generic_error',
      run: async (site) => {
        await genericError(site, { expires_in_seconds: 'soon' })
      },
    },
    {
      id: 'P-61',
      title: 'tells a fault before anybody has to sign in',
      async run(site) {
        const faults = [
          { scopes: 'fly' },
          { public_key: 'x' },
          { auth_redirect: 'x' },
          { expires_in_seconds: '0' },
        ]
        for (const fault of faults) await genericError(site, fault)
      },
    },
  ]
}

function readyCases(): readonly Case[] {
  return [
    {
      id: 'P-65',
      title: 'is ready for somebody signed in',
      needs: ['user'],
      run: async (site) => {
        await ready(site, {})
      },
    },
    {
      id: 'P-66',
      title: 'tells all fields of ready',
      needs: ['user', 'oaep'],
      run: async (site) => fields(await ready(site, {}), readyFields, 'the model'),
    },
    {
      id: 'P-67',
      title: 'tells null for what was not said',
      needs: ['user', 'oaep'],
      async run(site) {
        const model = await ready(site, {})
        for (const name of ['auth_redirect', 'push_url', 'padding', 'expires_in_seconds', 'expires_at']) {
          equal(model[name], null, name)
        }
      },
    },
    {
      id: 'P-68',
      title: 'tells the request’s own values',
      needs: ['user'],
      async run(site) {
        const asked = await site.request({ scopes: 'session_info,read', auth_redirect: redirects.app })
        const model = await ready(site, asked)
        for (const [name, value] of Object.entries(asked)) equal(model[name], value, name)
      },
    },
    {
      id: 'P-69',
      title: 'tells a label for each scope',
      needs: ['user'],
      async run(site) {
        const { localized_scopes: labels } = await ready(site, { scopes: 'read,session_info,notifications' })
        check(
          Array.isArray(labels) && labels.every((label) => typeof label === 'string'),
          'it is no list of texts',
        )
        equal(labels.length, 3, 'the number of labels')
      },
    },
    {
      id: 'P-70',
      title: 'tells whether the app may write',
      needs: ['user'],
      async run(site) {
        equal((await ready(site, { scopes: 'read,write' })).write_scope, true, 'write_scope with write')
        equal((await ready(site, { scopes: 'read' })).write_scope, false, 'write_scope without')
      },
    },
    {
      id: 'P-71',
      title: 'tells when the key would expire',
      needs: ['user', 'oaep'],
      async run(site) {
        const from = Date.now()
        const { expires_at } = await ready(site, { expires_in_seconds: '3600' })
        const at = matches(expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/, 'expires_at')
        const seconds = (Date.parse(at) - from) / 1000
        check(Math.abs(seconds - 3600) < 120, `it would expire in ${seconds} s, expected 3600`)
      },
    },
    {
      id: 'P-72',
      title: 'tells who is signed in',
      needs: ['user', 'oaep'],
      async run(site) {
        const { username } = await site.user()
        const { current_user: user } = (await ready(site, {})) as { current_user?: Record<string, unknown> }
        equal(user?.username, username, 'the username')
        equal(typeof user?.avatar_template, 'string', 'the type of avatar_template')
      },
    },
  ]
}

const readyFields: readonly string[] = [
  'state',
  'application_name',
  'public_key',
  'nonce',
  'client_id',
  'auth_redirect',
  'redirect_uri',
  'push_url',
  'localized_scopes',
  'scopes',
  'write_scope',
  'padding',
  'expires_in_seconds',
  'expires_at',
  'current_user',
]

function displayHostCases(): readonly Case[] {
  const shown = async (site: Site, redirect: string | undefined) =>
    (await ready(site, { auth_redirect: redirect })).redirect_uri
  return [
    {
      id: 'P-73',
      title: 'shows the redirect’s host alone for the usual ports',
      needs: ['admin', 'oaep'],
      run: (site) =>
        site.settings.with({ allowed_user_api_auth_redirects: '*' }, async () => {
          for (const redirect of [
            'https://a.example/x?y=1',
            'https://a.example:443/',
            'http://a.example:80/',
          ]) {
            equal(await shown(site, redirect), 'a.example', `redirect_uri for ${redirect}`)
          }
        }),
    },
    {
      id: 'P-74',
      title: 'shows host and port for other ports',
      needs: ['admin', 'oaep'],
      run: (site) =>
        site.settings.with({ allowed_user_api_auth_redirects: '*' }, async () => {
          equal(await shown(site, 'https://a.example:8443/x'), 'a.example:8443', 'redirect_uri')
          equal(await shown(site, 'http://127.0.0.1:9999'), '127.0.0.1:9999', 'redirect_uri')
        }),
    },
    {
      id: 'P-75',
      title: 'shows no host without a redirect',
      needs: ['user', 'oaep'],
      run: async (site) => equal(await shown(site, undefined), null, 'redirect_uri'),
    },
    {
      id: 'P-76',
      title: 'shows no host for discourse://auth_redirect',
      needs: ['user', 'oaep'],
      run: async (site) => equal(await shown(site, redirects.app), null, 'redirect_uri'),
    },
  ]
}
