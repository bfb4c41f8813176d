import type { Case, CaseSection } from '../case.ts'
import { staffOnly, valueIn } from '../consent.ts'
import { keyPair, open, randomText } from '../crypto.ts'
import type { Answer } from '../exchange.ts'
import {
  check,
  equal,
  fields,
  header,
  matches,
  ok,
  redirect,
  refusal,
  sentToSignIn,
  status,
} from '../expect.ts'
import { type AuthorizationFields, redirects, type Site } from '../site.ts'
import { query, type Visitor } from '../visitor.ts'

const path = '/user-api-key/otp.json'

/** §6: one-time passwords. */
export const oneTimePasswordCases: CaseSection = {
  section: 6,
  title: 'one-time passwords',
  cases: [...askingCases(), ...approvingCases(), ...usingCases(), ...entranceCases()],
}

async function request(change: AuthorizationFields = {}): Promise<Record<string, string | undefined>> {
  const { pem } = await keyPair()
  return {
    public_key: pem,
    auth_redirect: redirects.app,
    application_name: `Conformance ${randomText()}`,
    ...change,
  }
}

async function ask(visitor: Visitor, change: AuthorizationFields = {}): Promise<Answer> {
  return visitor.get(`${path}?${query(await request(change))}`)
}

async function approve(visitor: Visitor, change: AuthorizationFields = {}): Promise<Answer> {
  return visitor.post(path, await request(change))
}

/** A fresh token of the first user's, as the app has it. */
async function token(site: Site): Promise<string> {
  const answer = await approve((await site.user()).browser)
  return open(valueIn(String(ok(answer).redirect_url), 'oneTimePassword', answer), await keyPair())
}

async function isSignedIn(visitor: Visitor): Promise<boolean> {
  return status(await visitor.get('/session/current.json'), 200, 404).status === 200
}

function askingCases(): readonly Case[] {
  return [
    {
      id: 'P-195',
      title: 'demands its parameters, in order',
      needs: ['otp'],
      async run(site) {
        const order = ['public_key', 'auth_redirect', 'application_name']
        for (const [from, name] of order.entries()) {
          const left = Object.fromEntries(order.slice(from).map((missing) => [missing, undefined]))
          const { errors } = refusal(await ask(site.visitor(), left), 400)
          check(String(errors).endsWith(`: ${name}`), `the text does not end in ": ${name}"`)
        }
      },
    },
    {
      id: 'P-196',
      title: 'refuses a public key that does not parse',
      needs: ['otp', 'oaep'],
      run: async (site) => {
        refusal(await ask(site.visitor(), { public_key: 'hello' }), 400, 'invalid_parameters')
      },
    },
    {
      id: 'P-197',
      title: 'refuses an unknown padding',
      needs: ['otp', 'oaep'],
      run: async (site) => {
        refusal(await ask(site.visitor(), { padding: 'rot13' }), 400, 'invalid_parameters')
      },
    },
    {
      id: 'P-198',
      title: 'refuses a redirect that is not allowed',
      needs: ['otp', 'oaep'],
      run: async (site) => {
        refusal(
          await ask(site.visitor(), { auth_redirect: 'https://unlisted.example/' }),
          403,
          'invalid_access',
        )
      },
    },
    {
      id: 'P-199',
      title: 'sends a visitor to sign in',
      needs: ['otp'],
      run: async (site) => sentToSignIn(await ask(site.visitor())),
    },
    {
      id: 'P-200',
      title: 'tells what was asked for',
      needs: ['otp', 'oaep', 'user'],
      async run(site) {
        const asked = await request({ padding: 'oaep' })
        const model = ok(await (await site.user()).browser.get(`${path}?${query(asked)}`))
        fields(model, ['application_name', 'public_key', 'auth_redirect', 'padding'], 'the answer')
        for (const [name, value] of Object.entries(asked)) equal(model[name], value, name)
      },
    },
  ]
}

function approvingCases(): readonly Case[] {
  return [
    {
      id: 'P-201',
      title: 'answers JSON with redirect_url',
      needs: ['otp', 'oaep', 'user'],
      async run(site) {
        const { redirect_url: address } = ok(await approve((await site.user()).browser))
        check(String(address).startsWith(`${redirects.app}?oneTimePassword=`), `it leads to ${address}`)
      },
    },
    {
      id: 'P-202',
      title: 'redirects a browser',
      needs: ['otp', 'user'],
      async run(site) {
        const { browser } = await site.user()
        const answer = await browser.post('/user-api-key/otp', await request(), { accept: 'html' })
        check(redirect(answer).startsWith(`${redirects.app}?oneTimePassword=`), 'it leads elsewhere', answer)
      },
    },
    {
      id: 'P-203',
      title: 'seals 32 hexadecimal characters',
      needs: ['otp', 'oaep', 'user'],
      run: async (site) => {
        matches(await token(site), /^[0-9a-f]{32}$/, 'what was sealed')
      },
    },
    {
      id: 'P-204',
      title: 'seals with oaep when it is asked for',
      needs: ['otp', 'oaep', 'user'],
      async run(site) {
        const answer = await approve((await site.user()).browser, { padding: 'oaep' })
        const sealed = valueIn(String(ok(answer).redirect_url), 'oneTimePassword', answer)
        matches(open(sealed, await keyPair(), 'oaep'), /^[0-9a-f]{32}$/, 'what was sealed')
      },
    },
    {
      id: 'P-205',
      title: 'refuses to approve for a redirect that is not allowed',
      needs: ['otp', 'user'],
      async run(site) {
        const { browser } = await site.user()
        refusal(await approve(browser, { auth_redirect: 'https://unlisted.example/' }), 403, 'invalid_access')
      },
    },
    {
      id: 'P-206',
      title: 'refuses to approve without parameters, or for a key that does not parse',
      needs: ['otp', 'oaep', 'user'],
      async run(site) {
        const { browser } = await site.user()
        for (const name of ['public_key', 'auth_redirect', 'application_name']) {
          refusal(await approve(browser, { [name]: '' }), 400)
        }
        refusal(await approve(browser, { public_key: 'hello' }), 400, 'invalid_parameters')
      },
    },
    {
      id: 'P-207',
      title: 'refuses somebody in none of the allowed groups',
      needs: ['otp', 'admin'],
      run: (site) =>
        site.settings.with(staffOnly, async () => {
          refusal(await approve((await site.user()).browser), 403, 'invalid_access')
        }),
    },
    {
      id: 'P-208',
      title: 'refuses while the scope is not offered',
      needs: ['otp', 'admin'],
      run: (site) =>
        site.settings.with({ allow_user_api_key_scopes: 'read|write' }, async () => {
          refusal(await approve((await site.user()).browser), 403, 'invalid_access')
        }),
    },
    {
      id: 'P-209',
      title: 'gives one to a key with write',
      needs: ['otp', 'user'],
      async run(site) {
        const { api } = await site.approve({ scopes: 'write' })
        const answer = await api.post('/user-api-key/otp', await request(), { accept: 'none' })
        check(redirect(answer).startsWith(`${redirects.app}?oneTimePassword=`), 'it leads elsewhere', answer)
        const reader = await site.approve({ scopes: 'read' })
        refusal(await reader.api.post(path, await request()), 403, 'invalid_access')
      },
    },
  ]
}

function usingCases(): readonly Case[] {
  return [
    {
      id: 'P-210',
      title: 'signs nobody in by GET',
      needs: ['otp', 'oaep', 'user'],
      async run(site) {
        // Otherwise a picture in a page would sign its reader in as somebody else.
        const browser = site.visitor()
        const answer = await browser.get(`/session/otp/${await token(site)}`, { accept: 'html' })
        header(status(answer, 200), 'Content-Type', /^text\/html/)
        equal(await isSignedIn(browser), false, 'whether somebody is signed in')
      },
    },
    {
      id: 'P-211',
      title: 'does not use a token up by GET',
      needs: ['otp', 'oaep', 'user'],
      async run(site) {
        const browser = site.visitor()
        const one = await token(site)
        await browser.get(`/session/otp/${one}`, { accept: 'html' })
        await browser.post(`/session/otp/${one}`, {}, { accept: 'html' })
        equal(await isSignedIn(browser), true, 'whether somebody is signed in')
      },
    },
    {
      id: 'P-212',
      title: 'signs in by POST',
      needs: ['otp', 'oaep', 'user'],
      async run(site) {
        const browser = site.visitor()
        const answer = await browser.post(`/session/otp/${await token(site)}`, {}, { accept: 'html' })
        const { pathname } = new URL(redirect(answer), site.baseUrl)
        equal(pathname, '/', 'where it leads', answer)
        const { current_user: user } = ok(await browser.get('/session/current.json')) as {
          current_user?: { username?: string }
        }
        equal(user?.username, (await site.user()).username, 'who is signed in')
      },
    },
    {
      id: 'P-213',
      title: 'signs nobody in without CSRF token',
      needs: ['otp', 'oaep', 'user'],
      async run(site) {
        const browser = site.visitor()
        status(await browser.post(`/session/otp/${await token(site)}`, {}, { csrf: false }), 403)
        equal(await isSignedIn(browser), false, 'whether somebody is signed in')
      },
    },
    {
      id: 'P-214',
      title: 'takes a token once',
      needs: ['otp', 'oaep', 'user'],
      async run(site) {
        const one = await token(site)
        const [first, second] = [site.visitor(), site.visitor()]
        await first.post(`/session/otp/${one}`, {}, { accept: 'html' })
        await second.post(`/session/otp/${one}`, {}, { accept: 'html' })
        equal([await isSignedIn(first), await isSignedIn(second)], [true, false], 'whether each is signed in')
      },
    },
    {
      id: 'P-215',
      title: 'shows a page for an unknown token',
      needs: ['otp'],
      async run(site) {
        const browser = site.visitor()
        const one = randomText(16)
        status(await browser.get(`/session/otp/${one}`, { accept: 'html' }), 200)
        status(await browser.post(`/session/otp/${one}`, {}, { accept: 'html' }), 200)
        equal(await isSignedIn(browser), false, 'whether somebody is signed in')
      },
    },
    {
      id: 'P-216',
      title: 'sends somebody signed in as that user on, and uses the token up',
      needs: ['otp', 'oaep', 'user'],
      async run(site) {
        const one = await token(site)
        const answer = await (await site.user()).browser.get(`/session/otp/${one}`, { accept: 'html' })
        equal(new URL(redirect(answer), site.baseUrl).pathname, '/', 'where it leads', answer)
        const browser = site.visitor()
        await browser.post(`/session/otp/${one}`, {}, { accept: 'html' })
        equal(await isSignedIn(browser), false, 'whether the token still works')
      },
    },
  ]
}

function entranceCases(): readonly Case[] {
  const enter = async (visitor: Visitor, change: AuthorizationFields = {}): Promise<Answer> => {
    const { pem } = await keyPair()
    const search = query({ user_api_public_key: pem, auth_redirect: redirects.app, ...change })
    return visitor.get(`/?${search}`, { accept: 'html' })
  }
  return [
    {
      id: 'P-217',
      title: 'tells an app that it can ask for one',
      needs: ['otp'],
      run: async (site) => {
        equal(redirect(await enter(site.visitor())), `${redirects.app}?otp=true`, 'where it leads')
      },
    },
    {
      id: 'P-218',
      title: 'leads nowhere for a public key that does not parse',
      needs: ['otp'],
      run: async (site) => {
        status(await enter(site.visitor(), { user_api_public_key: 'hello' }), 200)
      },
    },
    {
      id: 'P-219',
      title: 'leads nowhere for a redirect that is not allowed',
      needs: ['otp'],
      run: async (site) => {
        status(await enter(site.visitor(), { auth_redirect: 'https://unlisted.example/' }), 200)
      },
    },
    {
      id: 'P-220',
      title: 'shows the page to somebody signed in',
      needs: ['otp', 'user'],
      run: async (site) => leadsToNoApp(await enter((await site.user()).browser)),
    },
    {
      id: 'P-221',
      title: 'shows the page while the scope is not offered',
      needs: ['otp', 'admin'],
      run: (site) =>
        site.settings.with({ allow_user_api_key_scopes: 'read|write' }, async () => {
          leadsToNoApp(await enter(site.visitor()))
        }),
    },
  ]
}

/** A front page may lead to another page of the site, and not to the app. */
function leadsToNoApp(answer: Answer): void {
  status(answer, 200, 302)
  check(!(answer.header('location') ?? '').startsWith('discourse:'), 'it leads to the app', answer)
}
