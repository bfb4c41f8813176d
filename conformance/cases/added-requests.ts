import type { Case } from '../case.ts'
import { genericError, ready, refusedApproval } from '../consent.ts'
import { keyPair } from '../crypto.ts'
import { check, equal, object, ok, redirect } from '../expect.ts'
import { redirects } from '../site.ts'
import { query } from '../visitor.ts'

/** §19: what becomes of requests that others fold into one refusal, or lose. */
export function requestCases(): readonly Case[] {
  return [
    {
      id: 'A-5',
      title: 'tells before sign-in that a nonce does not fit',
      async run(site) {
        const answer = await genericError(site, { nonce: 'n'.repeat(180) })
        equal(object(answer).reason, 'payload_too_large', 'reason', answer)
      },
    },
    {
      id: 'A-6',
      title: 'keeps a request while its user signs in',
      needs: ['user'],
      async run(site) {
        const { username, password } = await site.user()
        const asked = await site.request({
          padding: 'oaep',
          expires_in_seconds: '3600',
          auth_redirect: redirects.app,
          push_url: 'https://push.conformance.example/x',
        })
        const browser = site.visitor()
        const away = await browser.get(`/user-api-key/new?${query(asked)}`, { accept: 'html' })
        const location = redirect(away)
        check(location.length < 200, `the address has ${location.length} characters`, away)
        const target = new URL(location, site.baseUrl).searchParams.get('redirect') ?? ''
        const form = { username, password, redirect: target }
        equal(redirect(await browser.post('/login', form, { accept: 'html' })), target, 'where sign-in leads')
        const model = ok(await browser.get(target))
        equal(model.state, 'ready', 'the state')
        for (const [name, value] of Object.entries(asked)) equal(model[name], value, name)
      },
    },
    {
      id: 'A-7',
      title: 'allows loopback redirects with any port',
      needs: ['admin'],
      run: (site) =>
        site.settings.with({ allowed_user_api_auth_redirects: 'loopback' }, async () => {
          const hosts = ['127.0.0.1', '[::1]', 'localhost']
          for (const host of hosts) await ready(site, { auth_redirect: `http://${host}:49152/callback` })
          await ready(site, { auth_redirect: 'http://localhost:8000' })
        }),
    },
    {
      id: 'A-8',
      title: 'allows nothing else by loopback',
      needs: ['admin'],
      run: (site) =>
        site.settings.with({ allowed_user_api_auth_redirects: 'loopback' }, async () => {
          for (const auth_redirect of [
            'https://127.0.0.1:49152/callback',
            'http://127.0.0.1.evil.example/',
            'http://localhost.evil.example/',
            'http://sam@localhost/',
            'http://localhost/#x',
            'http://10.0.0.1/',
            'javascript://127.0.0.1/%0aalert(1)',
          ]) {
            await genericError(site, { auth_redirect })
          }
        }),
    },
    {
      id: 'A-10',
      title: 'refuses a parameter that is sent twice',
      needs: ['user'],
      async run(site) {
        // Whoever looks at one of the two and whoever uses the other would not mean the same.
        const answer = await site.visitor().get(`${await site.asking()}&scopes=write`)
        equal(object(answer).reason, 'parameter_duplicated', 'reason', answer)
      },
    },
    {
      id: 'A-11',
      title: 'mends a PEM whose plus signs arrived as spaces',
      needs: ['user'],
      async run(site) {
        const { pem } = await keyPair()
        await ready(site, { public_key: pem.replaceAll('+', ' ') })
      },
    },
    {
      id: 'A-12',
      title: 'takes a PKCS#1 header around a SubjectPublicKeyInfo',
      needs: ['user'],
      async run(site) {
        const { pem } = await keyPair()
        await site.approve({ public_key: pem.replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY') })
      },
    },
    {
      id: 'A-13',
      title: 'changes nothing when it refuses an approval',
      needs: ['user'],
      async run(site) {
        const earlier = await site.approve()
        const client_id = earlier.clientId
        for (const change of [
          { nonce: 'n'.repeat(180) },
          { expires_in_seconds: '0' },
          { padding: 'rot13' },
        ]) {
          await refusedApproval(site, { client_id, ...change }, [400, 'invalid_parameters'])
        }
        equal(await site.accepts(earlier), true, 'whether the earlier key works')
      },
    },
  ]
}
