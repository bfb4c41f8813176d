/** `hallpass/testing`: a Hallpass for a site owner's own tests, and the tests for a store of one's own. */
import { randomBytes } from 'node:crypto'
import { commit } from '../domain/commit.ts'
import { systemActor } from '../domain/events.ts'
import { newUserApiKeyText } from '../domain/key-text.ts'
import type { Store } from '../domain/store.ts'
import { storeUserApiKey } from '../domain/store-key.ts'
import type { HostUser } from '../identity/host-users.ts'
import {
  checkScopeParameters,
  grantsOf,
  type ScopeParameters,
  serializeScopeParameters,
} from '../protocol/scope-parameters.ts'
import { createScopeCatalogue, type GrantedScope } from '../protocol/scopes.ts'
import { createHallpass } from '../server/create-hallpass.ts'
import type { Hallpass } from '../server/hallpass.ts'
import type { HallpassOptions } from '../server/options.ts'
import { openSqliteStore } from '../storage/open-store.ts'

export { describeStoreContract } from './store-contract/describe-store-contract.ts'

/** The options of `createHallpass`, of which none is needed, and what the test begins with. */
export interface TestHallpassOptions extends Omit<Partial<HallpassOptions>, 'clock'> {
  /**
   * Whose key it is. Default: the user `u_1`, named `sam`. Where the options bring `currentUser` and `findUser`, the
   * application has to know the user by this id.
   */
  readonly user?: HostUser
  /** The scopes of the key. Default: the names of `scopes`, or `read` where the site has none of its own. */
  readonly keyScopes?: readonly string[]
  /** What the clock shows at first, in milliseconds since the epoch. Default: noon of 15 January 2026, UTC. */
  readonly startsAt?: number
}

/** What a further key shall be. */
export interface TestKeyOptions {
  /** Default: as the first key has. */
  readonly scopes?: readonly string[]
  /** What scopes are narrowed to, as an app asks for it in `scope_parameters`. Default: nothing is. */
  readonly scopeParameters?: ScopeParameters
  /** Default: whose the first key is. One whom nobody knows yet is known from then on. */
  readonly user?: HostUser
  /** Default: never. */
  readonly expiresInSeconds?: number
}

/** A Hallpass in memory, with a user and a key. */
export interface TestHallpass {
  readonly hallpass: Hallpass
  readonly user: HostUser
  /** The text of a user API key that the user has approved. */
  readonly key: string
  /** A request as an app sends it: with the key, unless `init` brings a credential or a cookie of its own. */
  request(path: string, init?: RequestInit): Request
  /**
   * A further key, of an app of its own.
   *
   * @throws TypeError for a scope that the site does not know, and for what it cannot be narrowed to
   */
  keyFor(options?: TestKeyOptions): Promise<string>
  /**
   * The `Cookie` header of a browser in which a user is signed in. Default: the user that the key is of. Of no use where
   * the options bring `currentUser`, which looks at the application's own.
   */
  cookie(user?: HostUser): string
  /** Changes a user, as an application does that calls `userChanged`; undefined for one who is gone. */
  changeUser(id: string, user: HostUser | undefined): Promise<void>
  /** Lets time pass on the clock. It stands still otherwise. */
  advance(seconds: number): void
  /** Ends it; nothing is kept. */
  close(): Promise<void>
}

/**
 * A Hallpass in memory for tests: nothing goes over the network, no timer runs, no limit counts, the clock stands still
 * until it is moved, and what fails inside is thrown. Where the options bring no users, there are those that the test
 * names.
 *
 * @throws TypeError as `createHallpass`, and for a scope that the site does not know
 */
export async function createTestHallpass(options: TestHallpassOptions = {}): Promise<TestHallpass> {
  const { user = { id: 'u_1', username: 'sam' }, startsAt = Date.UTC(2026, 0, 15, 12) } = options
  const { user: _user, keyScopes, startsAt: _startsAt, store: givenStore, ...ofHallpass } = options
  const catalogue = createScopeCatalogue(options.scopes)
  const defaultScopes = keyScopes ?? options.scopes?.map(({ name }) => name) ?? ['read']
  const users = new Map([[user.id, user]])
  let now = startsAt
  const store = givenStore ?? (await openSqliteStore({ path: ':memory:' }))
  const hallpass = await createHallpass({
    baseUrl: siteAddress,
    ...(options.currentUser || options.findUser ? {} : usersIn(users)),
    background: false,
    flushIntervalMs: 0,
    hearOthers: false,
    timers: { after: () => () => {} },
    outbound: { post: async () => ({ outcome: 'refused', problem: 'nothing is sent from a test' }) },
    log: () => {},
    onError: (error) => {
      throw error
    },
    ...ofHallpass,
    pinnedSettings: { disable_rate_limits: 'true', ...options.pinnedSettings },
    clock: { now: () => now },
    store,
  })

  async function keyFor({ scopes = defaultScopes, ...asked }: TestKeyOptions = {}): Promise<string> {
    const owner = asked.user ?? user
    if (!users.has(owner.id)) users.set(owner.id, owner)
    for (const name of scopes) {
      if (!catalogue.find(name)) throw new TypeError(`there is no scope named ${name}`)
    }
    const narrowing = checkScopeParameters(
      asked.scopeParameters && serializeScopeParameters(asked.scopeParameters),
      { scopes, catalogue },
    )
    if (narrowing.outcome === 'refused') throw new TypeError(narrowing.refusal.message)
    const granted = grantsOf(scopes, narrowing.value)
    const expiresAt = asked.expiresInSeconds === undefined ? null : now + asked.expiresInSeconds * 1000
    return storeKey(store, { userId: owner.id, scopes: granted, createdAt: now, expiresAt })
  }

  const key = await keyFor()
  return {
    hallpass,
    user,
    key,
    keyFor,
    request(path, init) {
      const request = new Request(new URL(path, siteAddress), init)
      const { headers } = request
      const brings = ['user-api-key', 'api-key', 'authorization', 'cookie'].some((name) => headers.has(name))
      if (!brings) headers.set('user-api-key', key)
      return request
    },
    cookie: ({ id } = user) => `${testCookie}=${encodeURIComponent(id)}`,
    async changeUser(id, changed) {
      if (changed) users.set(id, changed)
      else users.delete(id)
      await hallpass.userChanged(id)
    },
    advance(seconds) {
      now += seconds * 1000
    },
    async close() {
      await hallpass.close()
      if (!givenStore) await store.close()
    },
  }
}

const siteAddress = 'https://hallpass.test'
const testCookie = 'test_user'

/** An application that holds its users in memory, and knows a browser by a cookie. */
function usersIn(
  users: ReadonlyMap<string, HostUser>,
): Pick<HallpassOptions, 'currentUser' | 'findUser' | 'findUserByUsername'> {
  return {
    async currentUser(request) {
      const cookie = request.headers.get('cookie') ?? ''
      const id = new RegExp(`(?:^|; *)${testCookie}=([^;]*)`).exec(cookie)?.[1]
      return id === undefined ? undefined : users.get(decoded(id))
    },
    findUser: async (id) => users.get(id),
    findUserByUsername: async (name) =>
      [...users.values()].find(({ username }) => username.toLowerCase() === name.toLowerCase()),
  }
}

/** What is not percent-encoding is nobody's id, and no reason to fail. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

interface KeyOfTest {
  readonly userId: string
  readonly scopes: readonly GrantedScope[]
  readonly createdAt: number
  readonly expiresAt: number | null
}

/** Each key is of an app of its own: an app's second key would take the place of its first. */
async function storeKey(store: Store, key: KeyOfTest): Promise<string> {
  const secret = newUserApiKeyText({ bytes: (length) => new Uint8Array(randomBytes(length)) })
  const clock = { now: () => key.createdAt }
  await commit(
    { store, clock, events: { origin: 'test', publish: () => {} } },
    systemActor,
    async (session) => {
      const { record, events } = await storeUserApiKey(session, {
        ...key,
        clientId: `test-${secret.hash.slice(0, 12)}`,
        applicationName: 'An app of the test',
        keyHash: secret.hash,
        pushUrl: null,
      })
      return { result: record, events }
    },
  )
  return secret.text
}
