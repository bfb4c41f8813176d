/** A whole Hallpass in memory, with a clock that is moved by hand, an administrator and a user, for tests through the handler. */
import { constants, generateKeyPairSync, type KeyObject, privateDecrypt } from 'node:crypto'
import type { Store } from '../src/domain/store.ts'
import type { User } from '../src/domain/user.ts'
import type { SettingName } from '../src/protocol/settings.ts'
import { createHallpass, type HallpassOptions } from '../src/server/create-hallpass.ts'
import type { Hallpass } from '../src/server/hallpass.ts'
import { openTestStore } from './test-database.ts'

export const siteUrl = 'http://hallpass.test'
export const userPassword = 'correct horse battery'

/** The key pair of the app in the tests; made once, because making one is slow. */
const pair: { publicKey: string; privateKey: KeyObject } = (() => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(), privateKey }
})()

export const appPublicKey: string = pair.publicKey

/** What an app finds in a payload that was sealed for {@link appPublicKey}. */
export function openSealed(payload: string, padding: 'pkcs1' | 'oaep' = 'pkcs1'): Record<string, unknown> {
  return JSON.parse(openSealedText(payload, padding)) as Record<string, unknown>
}

/** The bare text that was sealed for {@link appPublicKey}, as a one-time password is. */
export function openSealedText(sealed: string, padding: 'pkcs1' | 'oaep' = 'pkcs1'): string {
  const scheme = padding === 'oaep' ? constants.RSA_PKCS1_OAEP_PADDING : constants.RSA_PKCS1_PADDING
  return privateDecrypt({ key: pair.privateKey, padding: scheme }, Buffer.from(sealed, 'base64')).toString()
}

/** The parameters of an ordinary request for a key. */
export function authorizationParameters(
  change: Record<string, string | undefined> = {},
): Record<string, string> {
  const parameters: Record<string, string | undefined> = {
    nonce: 'nonce-1',
    scopes: 'read',
    client_id: 'client-1',
    public_key: appPublicKey,
    application_name: 'My app',
    ...change,
  }
  return Object.fromEntries(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

export interface RequestOptions {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly form?: Record<string, string>
  readonly json?: unknown
  readonly body?: string
}

/** A browser: keeps cookies, follows no redirect. */
export interface Browser {
  request(path: string, options?: RequestOptions): Promise<Response>
  /** The CSRF token of this browser. */
  csrf(): Promise<string>
  /** Sends a form with the CSRF token in it. */
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>
}

export interface TestSite {
  readonly hallpass: Hallpass
  readonly store: Store
  readonly admin: User
  readonly user: User
  readonly adminApiKey: string
  /** Moves the clock. */
  advance(seconds: number): void
  now(): number
  /** A request without cookies. */
  request(path: string, options?: RequestOptions): Promise<Response>
  /** A request with an administrator's API key. */
  asAdmin(path: string, options?: RequestOptions): Promise<Response>
  browser(): Browser
  /** A browser in which somebody has signed in. */
  signedIn(username?: string): Promise<Browser>
  /** A user API key that the user approved. */
  approvedKey(change?: Record<string, string | undefined>, username?: string): Promise<string>
  close(): Promise<void>
}

/**
 * What a test site begins with, stored like any setting and changed like one: on a clock that stands still all requests
 * of a file fall into one minute, and nearly every test is about something else than how many there are.
 */
const roomySettings = {
  max_user_api_reqs_per_minute: '1000000',
  max_user_api_reqs_per_day: '1000000',
  max_admin_api_reqs_per_minute: '1000000',
  max_reqs_per_ip_per_minute: '1000000',
  max_reqs_per_ip_per_10_seconds: '1000000',
} as const satisfies Partial<Record<SettingName, string>>

export async function createTestSite(options: Partial<HallpassOptions> = {}): Promise<TestSite> {
  let now = Date.UTC(2026, 0, 15, 12, 0, 0)
  let counter = 1
  const store = options.store ?? (await openTestStore())
  for (const [name, value] of Object.entries(roomySettings)) {
    await store.settings.put({ name, value, updatedAt: now })
  }
  const hallpass = await createHallpass({
    clock: { now: () => now },
    // Every value differs, and every run gives the same.
    random: {
      bytes: (length) => {
        counter += 1
        return Uint8Array.from(
          { length },
          (_, index) => ((counter * 31 + index * 7 + (counter >> 8)) % 255) + 1,
        )
      },
    },
    onError: (error) => {
      throw error
    },
    // Nothing happens by itself in a site whose clock stands still.
    timers: { after: () => () => {} },
    onWarning: () => {},
    ...options,
    store,
  })
  const admin = await account(hallpass, 'admin', true)
  const user = await account(hallpass, 'sam', false)
  const { text: adminApiKey } = await hallpass.createApiKey({
    user: undefined,
    description: 'tests',
    route: 'bootstrap',
  })

  const send = async (path: string, options: RequestOptions = {}, cookie = ''): Promise<Response> => {
    const headers = new Headers(options.headers)
    if (cookie) headers.set('cookie', cookie)
    let { body } = options
    if (options.form) {
      body = new URLSearchParams(options.form).toString()
      headers.set('content-type', 'application/x-www-form-urlencoded')
    }
    if (options.json !== undefined) {
      body = JSON.stringify(options.json)
      headers.set('content-type', 'application/json')
    }
    const method = options.method ?? (body === undefined ? 'GET' : 'POST')
    const request = new Request(new URL(path, siteUrl), {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    })
    return hallpass.fetch(request, { remoteAddress: '127.0.0.1' })
  }

  const browser = (): Browser => {
    const cookies = new Map<string, string>()
    const request = async (path: string, options?: RequestOptions): Promise<Response> => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await send(path, options, cookie)
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (/max-age=0/i.test(line)) cookies.delete(name)
        else cookies.set(name, value)
      }
      return response
    }
    const csrf = async (): Promise<string> => {
      const { csrf: token } = (await (await request('/session/csrf.json')).json()) as { csrf: string }
      return token
    }
    const post: Browser['post'] = async (path, form, headers = {}) =>
      request(path, { form: { ...form, authenticity_token: await csrf() }, headers })
    return { request, csrf, post }
  }

  const signedIn = async (username = 'sam'): Promise<Browser> => {
    const visitor = browser()
    await visitor.post('/session.json', { login: username, password: userPassword })
    return visitor
  }

  return {
    hallpass,
    store,
    admin,
    user,
    adminApiKey,
    advance: (seconds) => {
      now += seconds * 1000
    },
    now: () => now,
    request: (path, options) => send(path, options),
    asAdmin: (path, options = {}) =>
      send(path, {
        ...options,
        headers: { 'api-key': adminApiKey, 'api-username': 'admin', ...options.headers },
      }),
    browser,
    signedIn,
    async approvedKey(change, username) {
      const visitor = await signedIn(username)
      const response = await visitor.post('/user-api-key.json', authorizationParameters(change))
      const { payload } = (await response.json()) as { payload: string }
      return String(openSealed(payload).key)
    },
    async close() {
      await hallpass.close()
      await store.close()
    },
  }
}

async function account(hallpass: Hallpass, username: string, admin: boolean): Promise<User> {
  const outcome = await hallpass.createAccount({
    username,
    password: userPassword,
    name: '',
    email: `${username}@hallpass.test`,
    admin,
  })
  if (outcome.outcome === 'refused') throw new Error(outcome.refusal.message)
  return outcome.user
}
