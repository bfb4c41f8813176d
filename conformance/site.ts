/** The site that is tested, as cases see it: people, keys, settings, and what was said on the wire. */

import { type KeyPair, keyPair, open, type Padding, randomText } from './crypto.ts'
import type { Answer } from './exchange.ts'
import { check, equal, matches, object, ok, skip, status } from './expect.ts'
import type { Feature } from './feature.ts'
import { SiteSettings } from './settings.ts'
import { type Place, query, Visitor } from './visitor.ts'

/** What is needed to reach the site and to act on it. */
export interface SiteAccess {
  /** Where it is, without a slash at the end. */
  readonly baseUrl: string
  /** An administrator's API key for all users. */
  readonly adminApiKey?: string
  /** The administrator that it acts for. Default `system`, whom every Discourse site has. */
  readonly adminUsername?: string
  /** A user who can sign in. Needed where there is no administrator's key. */
  readonly username?: string
  readonly password?: string
  /** An address of this machine that the site may push to, such as `http://127.0.0.1:8790`; port 0 takes any. */
  readonly pushTarget?: string
}

export interface Person {
  readonly username: string
  /** Undefined for somebody whose id the site did not tell. */
  readonly id: string | undefined
  readonly password: string
  /** Signed in. */
  readonly browser: Visitor
}

/** A user API key that was approved and opened. */
export interface IssuedKey {
  readonly key: string
  /** The payload's text, as it was sealed. */
  readonly text: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly clientId: string
  readonly applicationName: string
  /** A program that sends this key and nothing else. */
  readonly api: Visitor
}

/** The nine parameters of the browser flow; `undefined` leaves one out. */
export type AuthorizationFields = Readonly<Record<string, string | undefined>>

/** Redirects that the site allows while the suite runs with an administrator's key. */
export const redirects = {
  /** On every site's list from the start. */
  app: 'discourse://auth_redirect',
  plain: 'https://conformance.example/callback',
  /** With any path and query behind it. */
  any: 'https://conformance.example/any/',
  noPath: 'https://no-path.conformance.example',
  ownScheme: 'web+conformance://auth-redirect',
  withFragment: 'https://conformance.example/callback#at-the-end',
} as const

export class Site {
  readonly baseUrl: string
  readonly settings: SiteSettings
  /** The parts that the site has. */
  readonly features: Set<Feature> = new Set()
  readonly #access: SiteAccess
  readonly #place: Place
  readonly #people = new Map<string, Promise<Person>>()
  readonly #made: Person[] = []
  #exchanges: Answer[] = []

  constructor(access: SiteAccess, waiting: (seconds: number) => void = () => undefined) {
    const { origin, pathname } = new URL(access.baseUrl)
    this.#access = access
    this.baseUrl = origin + pathname.replace(/\/$/, '')
    this.#place = {
      origin,
      prefix: pathname.replace(/\/$/, ''),
      heard: (answer) => this.#exchanges.push(answer),
      waiting: (seconds) => waiting(seconds),
    }
    this.settings = new SiteSettings(this.hasAdmin() ? this.admin() : undefined)
  }

  hasAdmin(): boolean {
    return this.#access.adminApiKey !== undefined
  }

  hasUser(): boolean {
    return this.hasAdmin() || this.#access.username !== undefined
  }

  /** Where the suite receives pushes; undefined where nobody said that the site may push there. */
  pushTarget(): string | undefined {
    return this.#access.pushTarget
  }

  /** The administrator's key itself; the case is skipped when none was given. */
  adminKey(): string {
    return this.#access.adminApiKey ?? skip('no administrator’s API key was given')
  }

  adminUsername(): string {
    return this.#access.adminUsername ?? 'system'
  }

  /** The administrator, by API key. */
  admin(): Visitor {
    return this.program({ 'Api-Key': this.adminKey(), 'Api-Username': this.adminUsername() })
  }

  /** A browser that nobody is signed in with. */
  visitor(): Visitor {
    return new Visitor(this.#place)
  }

  /** A program without cookies that sends these headers with everything. */
  program(headers: Readonly<Record<string, string>> = {}): Visitor {
    return new Visitor(this.#place, headers)
  }

  /** Somebody who stays the same for the whole run. Cases change nothing about them but their keys. */
  user(): Promise<Person> {
    return this.#named('first', () => this.#givenUser() ?? this.newUser())
  }

  /** Somebody else. */
  secondUser(): Promise<Person> {
    return this.#named('second', () => this.newUser())
  }

  /** Somebody of the case's own, who may be changed. */
  async newUser(): Promise<Person> {
    const username = `conf_${randomText(5)}`
    const password = `Conformance-${randomText(12)}`
    const answer = await this.admin().ask('/users.json', {
      json: {
        name: 'Conformance suite',
        username,
        password,
        email: `${username}@conformance.example`,
        active: true,
        approved: true,
      },
    })
    const made = object(status(answer, 200))
    check(made.success === true || made.user_id !== undefined, 'the user was not made', answer)
    const browser = this.visitor()
    await browser.signIn(username, password)
    const person = { username, password, browser, id: String(made.user_id) }
    this.#made.push(person)
    return person
  }

  /** A new administrator, with a session of their own. Skips the case where the site makes none so simply. */
  async newAdministrator(): Promise<Person> {
    const person = await this.newUser()
    await this.changeUser(person, 'grant_admin')
    return person
  }

  /** Another browser with the same user signed in. */
  async anotherBrowserOf({ username, password }: Person): Promise<Visitor> {
    const browser = this.visitor()
    await browser.signIn(username, password)
    return browser
  }

  /** All that the browser flow needs, with a fresh nonce and client id; `change` goes over it. */
  async request(change: AuthorizationFields = {}): Promise<Record<string, string | undefined>> {
    const name = randomText(6)
    return {
      application_name: `Conformance ${name}`,
      client_id: `conformance-${name}`,
      scopes: 'read',
      nonce: randomText(16),
      public_key: (await keyPair()).pem,
      ...change,
    }
  }

  /** `GET /user-api-key/new` with these parameters. */
  async asking(change: AuthorizationFields = {}): Promise<string> {
    return `/user-api-key/new.json?${query(await this.request(change))}`
  }

  /** Approves as that user does, without a redirect, and opens the payload. */
  async approve(change: AuthorizationFields = {}, options: ApproveOptions = {}): Promise<IssuedKey> {
    const fields = await this.request(change)
    const by = options.by ?? (await this.user()).browser
    const answer = await by.post('/user-api-key.json', fields)
    const { payload: sealed } = ok(answer)
    check(typeof sealed === 'string', 'there is no payload', answer)
    return this.issued(sealed, fields, options, answer)
  }

  /** Opens a sealed payload into the key that it holds. */
  async issued(
    sealed: string,
    fields: AuthorizationFields,
    { pair, padding = fields.padding === 'oaep' ? 'oaep' : 'pkcs1' }: ApproveOptions = {},
    answer?: Answer,
  ): Promise<IssuedKey> {
    const text = open(sealed, pair ?? (await keyPair()), padding)
    const payload = JSON.parse(text) as Record<string, unknown>
    const key = matches(payload.key, /^[0-9a-f]{32}$/, 'the payload’s key', answer)
    equal(payload.nonce, fields.nonce, 'the payload’s nonce', answer)
    return {
      key,
      text,
      payload,
      clientId: fields.client_id ?? '',
      applicationName: fields.application_name ?? '',
      api: this.program({ 'User-Api-Key': key }),
    }
  }

  /** Whether a key authenticates at all, by a route that its scope `read`, `write` or `session_info` permits. */
  async accepts({ api }: { readonly api: Visitor }): Promise<boolean> {
    const answer = await api.get('/session/current.json')
    status(answer, 200, 403)
    return answer.status === 200
  }

  /** The user's keys that are not revoked, as their own profile lists them. */
  async apps({ username, browser }: Person): Promise<readonly AppEntry[]> {
    const { user } = ok(await browser.get(`/u/${username}.json`)) as { user?: { user_api_keys?: AppEntry[] } }
    return user?.user_api_keys ?? skip('the site does not list a user’s keys')
  }

  /** The id by which a key is revoked; found by its application's name, which is unique. */
  async idOf(key: IssuedKey, owner: Person): Promise<string> {
    const entry = (await this.apps(owner)).find((one) => one.application_name === key.applicationName)
    return entry === undefined ? skip('the site does not list this key') : String(entry.id)
  }

  /** A route of administration of users: `suspend`, `grant_moderation`, and so on. */
  async changeUser({ id }: Person, verb: string, form: AuthorizationFields = {}): Promise<void> {
    const answer = await this.admin().put(`/admin/users/${id}/${verb}.json`, form)
    if (answer.status !== 200) skip(`the site cannot ${verb} a user (status ${answer.status})`)
  }

  /** What was said since the last call, oldest first. */
  takeExchanges(): readonly Answer[] {
    const taken = this.#exchanges
    this.#exchanges = []
    return taken
  }

  /** Removes the users that were made, or puts them out of use where the site removes none. */
  async removeUsers(): Promise<void> {
    for (const { id } of this.#made) {
      const removed = await this.admin().delete(`/admin/users/${id}.json`)
      if (removed.status !== 200) await this.admin().put(`/admin/users/${id}/deactivate.json`)
    }
  }

  #givenUser(): Promise<Person> | undefined {
    const { username, password } = this.#access
    if (username === undefined || password === undefined) return undefined
    const person = { username, password, id: undefined }
    return this.anotherBrowserOf({ ...person, browser: this.visitor() }).then((browser) => ({
      ...person,
      browser,
    }))
  }

  #named(name: string, make: () => Promise<Person>): Promise<Person> {
    const existing = this.#people.get(name)
    if (existing) return existing
    const person = make()
    this.#people.set(name, person)
    return person
  }
}

export interface ApproveOptions {
  /** Who approves; the first user's browser by default. */
  readonly by?: Visitor
  /** What the payload is opened with. */
  readonly pair?: KeyPair
  readonly padding?: Padding
}

export interface AppEntry {
  readonly id: number | string
  readonly application_name: string
  readonly scopes: readonly string[]
  readonly created_at: string
  readonly last_used_at: string
}
