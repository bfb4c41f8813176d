import type { Case, CaseSection } from '../case.ts'
import { genericError, post, ready, refusedApproval, staffOnly } from '../consent.ts'
import { keyPair, randomText } from '../crypto.ts'
import { enterCode, requestDevice } from '../device.ts'
import type { Answer } from '../exchange.ts'
import { check, equal, fields, header, matches, object, ok, redirect, refusal, status } from '../expect.ts'
import { redirects, type Site } from '../site.ts'
import { query } from '../visitor.ts'
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

function requestCases(): readonly Case[] {
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

function pageCases(): readonly Case[] {
  return [
    {
      id: 'A-14',
      title: 'shows the payload in one line, where programs look for it',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const asked = await site.request()
        const answer = await browser.post('/user-api-key', asked, { accept: 'html' })
        const [first = ''] = answer.text.match(/<code[\s\S]*?<\/code>/) ?? []
        const [, payload = ''] =
          /^<code id="user-api-key-payload"[^>]*>([A-Za-z0-9+/=]+)\n<\/code>$/.exec(first) ?? []
        check(payload !== '', `the first <code> is ${first.slice(0, 100)}`, answer)
        await site.issued(payload, asked, {}, answer)
      },
    },
    {
      id: 'A-15',
      title: 'approves by the consent page’s form as it is',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const asked = await site.request({ client_id: `form-${randomText()}\n`, padding: 'oaep' })
        const page = await browser.get(`/user-api-key/new?${query(asked)}`, { accept: 'html' })
        const { action, fields: form } = formIn(page.text, '/user-api-key')
        const answer = await browser.post(action, form, { accept: 'html', csrf: false })
        const [, payload = ''] = /<code[^>]*>([A-Za-z0-9+/=]+)/.exec(status(answer, 200).text) ?? []
        await site.issued(payload, asked, {}, answer)
      },
    },
    {
      id: 'A-16',
      title: 'lets no page be framed, and runs no inline script',
      needs: ['user'],
      async run(site) {
        const { browser } = await site.user()
        const consent = (await site.asking()).replace('.json', '')
        for (const path of [consent, '/user-api-key/activate', '/login']) {
          const visitor = path === '/login' ? site.visitor() : browser
          const answer = status(await visitor.get(path, { accept: 'html' }), 200)
          const policy = header(answer, 'Content-Security-Policy', /frame-ancestors 'none'/)
          check(!policy.includes('unsafe-inline'), 'the policy allows inline scripts', answer)
          check(
            !/<script(?![^>]*\bsrc=)|\son\w+=/i.test(answer.text),
            'the page has an inline script',
            answer,
          )
        }
      },
    },
    {
      id: 'A-21',
      title: 'shows the request link as a QR code',
      needs: ['user', 'device'],
      async run(site) {
        const { requestToken } = await requestDevice(site)
        const { browser } = await site.user()
        const answer = await browser.get(`/user-api-key/activate?request=${requestToken}`, { accept: 'html' })
        check(/<(svg|img)\b[^>]*\bQR\b/i.test(answer.text), 'the page shows none', answer)
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

/** The form of a page that posts to `path`, as a browser without scripts would send it. */
function formIn(
  html: string,
  path: string,
): { readonly action: string; readonly fields: Record<string, string> } {
  const forms = [...html.matchAll(/<form\b[^>]*\baction="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)]
  const [, action = '', inside = ''] =
    forms.find(([, target = '']) => /^[^?]*/.exec(target)?.[0] === path) ?? []
  check(action !== '', `the page has no form that posts to ${path}`)
  const inputs = [...inside.matchAll(/<input\b([^>]*)>/g)].map(([, attributes = '']) => attributes)
  const fields = inputs.flatMap((attributes) => {
    const name = /\bname="([^"]*)"/.exec(attributes)?.[1]
    const value = /\bvalue="([^"]*)"/.exec(attributes)?.[1] ?? ''
    // A browser turns each line end of a field into CR LF.
    return name === undefined ? [] : [[name, unescaped(value).replace(/\r\n|\r|\n/g, '\r\n')] as const]
  })
  return { action: unescaped(action), fields: Object.fromEntries(fields) }
}

function unescaped(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}
