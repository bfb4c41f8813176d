/** A forum in memory with a few users, and a stand-in for Hallpass that knows them by simple headers. */
import assert from 'node:assert/strict'
import type { Authentication } from '../../src/domain/identity.ts'
import type { Directory } from '../../src/domain/ports.ts'
import type { PushNotification } from '../../src/domain/push.ts'
import type { User } from '../../src/domain/user.ts'
import { createForum, type Forum, type ForumOptions } from '../../src/forum/forum.ts'
import { withCaller } from '../../src/http/caller-headers.ts'
import { type Refusal, refusal, refusalBody } from '../../src/protocol/errors.ts'
import { type Settings, settingsCatalogue } from '../../src/protocol/settings.ts'
import type { Hallpass } from '../../src/server/hallpass.ts'
import { openTestDatabase } from '../test-database.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; fails the test when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are read the way a client in any language reads them.
  readonly json: any
}

export interface TestRequest {
  /** Whose session the request carries, with its CSRF token. */
  readonly as?: string
  /** Whose key the request carries: `sam`, or `sam/App name`. */
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  readonly body?: BodyInit
  /** True to ask as a browser does. */
  readonly page?: boolean
}

export interface TestSite extends Disposable {
  readonly forum: Forum
  readonly users: Readonly<Record<'ada' | 'mod' | 'sam' | 'kim', User>>
  /** What was handed to `onNotification`. */
  readonly pushed: readonly { readonly userId: string; readonly notification: PushNotification }[]
  /** What the forum reported as its own fault. */
  readonly faults: readonly unknown[]
  /** Lets time pass. */
  advance(milliseconds: number): void
  request(method: string, path: string, options?: TestRequest): Promise<Answer>
  /** Makes a topic as `sam`, and answers with its first post. */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  topic(input?: { title?: string; raw?: string; as?: string; tags?: string }): Promise<any>
}

/** Begins a site with the users ada (administrator), mod, sam and kim. Times begin at 2026-01-01. */
export async function openSite(options: Partial<ForumOptions> = {}): Promise<TestSite> {
  let now = Date.UTC(2026, 0, 1)
  const users = {
    ada: user('1', 'ada', { admin: true, moderator: false }),
    mod: user('2', 'mod', { moderator: true }),
    sam: user('3', 'Sam', { name: 'Sam Doe' }),
    kim: user('4', 'kim', {}),
  }
  const all = Object.values(users)
  const pushed: { userId: string; notification: PushNotification }[] = []
  const faults: unknown[] = []
  const directory: Directory = {
    findUserById: async (id) => all.find((one) => one.id === id),
    findUserByUsername: async (name) => all.find((one) => one.username.toLowerCase() === name.toLowerCase()),
  }
  const database = await openTestDatabase()
  const forum = await createForum({
    hallpass: standIn(directory),
    database,
    directory,
    clock: { now: () => now },
    baseUrl: 'https://forum.test',
    onNotification: (userId, notification) => pushed.push({ userId, notification }),
    onError: (error) => faults.push(error),
    ...options,
  })

  const request = async (method: string, path: string, sent: TestRequest = {}): Promise<Answer> => {
    const headers = new Headers(sent.headers)
    if (!headers.has('accept')) headers.set('accept', sent.page === true ? 'text/html' : 'application/json')
    if (sent.as !== undefined) {
      headers.set('cookie', `session=${sent.as}`)
      if (!headers.has('x-csrf-token')) headers.set('x-csrf-token', 'good')
    }
    if (sent.key !== undefined) headers.set('user-api-key', encodeURIComponent(sent.key))
    let body = sent.body
    if (sent.form !== undefined) body = new URLSearchParams(sent.form)
    if (sent.json !== undefined) {
      body = JSON.stringify(sent.json)
      headers.set('content-type', 'application/json')
    }
    const response = await forum.fetch(
      new Request(`https://forum.test${path}`, { method, headers, ...(body === undefined ? {} : { body }) }),
      { remoteAddress: '192.0.2.1' },
    )
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json() {
        return JSON.parse(text)
      },
    }
  }
  return {
    forum,
    users,
    pushed,
    faults,
    advance: (milliseconds) => {
      now += milliseconds
    },
    request,
    topic: async ({ as = 'sam', ...input } = {}) => {
      const json = { title: 'A topic to talk about', raw: 'The first post of it.', ...input }
      return (await request('POST', '/posts.json', { as, json })).json
    },
    [Symbol.dispose]: () => void database.close(),
  }
}

function user(id: string, username: string, more: Partial<User>): User {
  return {
    id,
    username,
    name: '',
    admin: false,
    moderator: false,
    trustLevel: 1,
    active: true,
    suspendedUntil: null,
    createdAt: Date.UTC(2025, 0, 1),
    ...more,
  }
}

function standIn(directory: Directory): Hallpass {
  const handle: Hallpass['handle'] = async (request) =>
    new URL(request.url).pathname === '/healthz' ? new Response('ok') : undefined
  const authenticate: Hallpass['authenticate'] = async (request, options): Promise<Authentication> => {
    const { csrfToken } = (await options?.readBody?.()) ?? options ?? {}
    const refused = (of: Refusal): Authentication => ({ outcome: 'refused', refusal: of })
    const key = request.headers.get('user-api-key')
    if (key !== null) {
      const [name = '', applicationName = 'Test app'] = decodeURIComponent(key).split(/\/(.*)/s)
      const owner = await directory.findUserByUsername(name)
      if (owner === undefined) return refused(refusal('user_api_key_invalid'))
      return {
        outcome: 'authenticated',
        identity: {
          via: 'user_api_key',
          user: owner,
          key: { id: 1, clientId: 'c', applicationName, scopes: [] },
        },
      }
    }
    const [, username = ''] = /session=(\w+)/.exec(request.headers.get('cookie') ?? '') ?? []
    const session = await directory.findUserByUsername(username)
    if (session === undefined) return { outcome: 'anonymous' }
    const token = csrfToken ?? request.headers.get('x-csrf-token')
    const changes = request.method !== 'GET' && request.method !== 'HEAD'
    if (changes && token !== 'good') return refused(refusal('csrf_invalid'))
    return { outcome: 'authenticated', identity: { via: 'session', user: session } }
  }
  const settings = Object.fromEntries(
    Object.entries(settingsCatalogue).map(([name, setting]) => [name, setting.default]),
  ) as unknown as Settings
  return {
    answerNow: () => undefined,
    admitNow: () => undefined,
    handle,
    authenticate,
    fetch: async (request, connection) =>
      (await handle(request, connection)) ?? new Response(null, { status: 404 }),
    refuse: (_request, refused) =>
      Response.json(refusalBody(refused, 'https://docs.test/errors'), { status: refused.status }),
    signIdentity: async () => assert.fail('nothing is behind the forum'),
    appsOf: async () => [],
    withCaller,
    withCors: (_request, response) => response,
    csrf: () => ({ token: 'good', setCookie: 'csrf=1; Path=/' }),
    limitsStatus: () => undefined,
    settings: () => settings,
    directory,
    userChanged: async () => assert.fail('the forum has no users of its own'),
    createAccount: async () => assert.fail('the forum makes no accounts'),
    createApiKey: async () => assert.fail('the forum makes no API keys'),
    pushNotification: async () => assert.fail('the forum pushes through its hook'),
    jobs: {
      list: async () => assert.fail('the forum runs no jobs'),
      run: async () => assert.fail('the forum runs no jobs'),
    },
    close: async () => {},
  }
}
