import { type Answer, send } from './exchange.ts'

/** What of a request a case may say. */
export interface Ask {
  /** Default GET, or POST when there is something to send. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** A form body. */
  readonly form?: Readonly<Record<string, string | undefined>> | URLSearchParams
  /** A JSON body. */
  readonly json?: unknown
  /** A body as it is; the case gives its content type. */
  readonly raw?: string | Uint8Array
  /** What `Accept` says. Default JSON; `html` as a browser has it; `none` leaves it out. */
  readonly accept?: 'json' | 'html' | 'none'
  /** The CSRF token: the session's own by default, none for false, or a text. Only somebody with cookies sends one. */
  readonly csrf?: false | string
  /** True when a 429 is what the case waits for; otherwise it is waited out and the request repeated. */
  readonly limited?: boolean
}

/** What a visitor needs of the site that is tested. */
export interface Place {
  readonly origin: string
  /** The path that stands before every route; empty for most. */
  readonly prefix: string
  readonly heard: (answer: Answer) => void
  readonly waiting: (seconds: number, answer: Answer) => void
}

const accepts = {
  json: 'application/json',
  html: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
}

/** Longest that a 429 is waited out, in seconds: the length of the longest window that is counted by the minute. */
const longestWaitSeconds = 75

/** Somebody who calls the site: a browser with its cookies, or a program with the headers that it always sends. */
export class Visitor {
  readonly #place: Place
  readonly #always: Readonly<Record<string, string>>
  readonly #cookies: Map<string, string> | undefined
  #csrf: string | undefined

  /** With `headers`, a program without cookies; without, a browser. */
  constructor(place: Place, headers?: Readonly<Record<string, string>>) {
    this.#place = place
    this.#always = headers ?? {}
    this.#cookies = headers === undefined ? new Map() : undefined
  }

  /** Sends a request. The path is used as it is: a case encodes what must be encoded. */
  async ask(path: string, ask: Ask = {}): Promise<Answer> {
    const { body, type } = bodyOf(ask)
    const method = ask.method ?? (body === undefined ? 'GET' : 'POST')
    for (let attempt = 1; ; attempt += 1) {
      const headers = {
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(ask.accept === 'none' ? {} : { accept: accepts[ask.accept ?? 'json'] }),
        ...this.#always,
        ...(await this.#browserHeaders(method, ask)),
        ...ask.headers,
      }
      const answer = await send(this.#place.origin, this.#place.prefix + path, {
        method,
        headers: withoutUndefined(headers),
        ...(body === undefined ? {} : { body }),
      })
      this.#keepCookies(answer)
      this.#place.heard(answer)
      const wait = Number(answer.header('retry-after') ?? 5)
      if (answer.status !== 429 || ask.limited || attempt > 3 || wait > longestWaitSeconds) return answer
      this.#place.waiting(wait, answer)
      await new Promise((resolve) => setTimeout(resolve, (wait + 0.2) * 1000))
    }
  }

  get(path: string, ask: Ask = {}): Promise<Answer> {
    return this.ask(path, { method: 'GET', ...ask })
  }

  post(path: string, form: Ask['form'] = {}, ask: Ask = {}): Promise<Answer> {
    return this.ask(path, { method: 'POST', form, ...ask })
  }

  put(path: string, form: Ask['form'] = {}, ask: Ask = {}): Promise<Answer> {
    return this.ask(path, { method: 'PUT', form, ...ask })
  }

  delete(path: string, ask: Ask = {}): Promise<Answer> {
    return this.ask(path, { method: 'DELETE', ...ask })
  }

  /** Signs in as a script of the site's own sign-in page does. Throws when that fails. */
  async signIn(username: string, password: string): Promise<void> {
    const answer = await this.post('/session.json', { login: username, password })
    const { error } = (answer.json ?? {}) as { error?: string }
    if (answer.status !== 200 || error !== undefined) {
      throw new Error(`${username} cannot sign in: ${answer.status} ${error ?? answer.text.slice(0, 200)}`)
    }
    // The token may be tied to the session, which is another one now.
    this.#csrf = undefined
  }

  /** The session's CSRF token. */
  async csrf(): Promise<string> {
    this.#csrf ??= await this.#askForCsrf()
    return this.#csrf
  }

  /** What the browser would send as `Cookie`. */
  cookieHeader(): string {
    return [...(this.#cookies ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async #askForCsrf(): Promise<string> {
    const answer = await this.get('/session/csrf.json')
    const { csrf } = (answer.json ?? {}) as { csrf?: string }
    if (typeof csrf !== 'string') throw new Error(`GET /session/csrf.json tells no token: ${answer.status}`)
    return csrf
  }

  async #browserHeaders(method: string, { csrf }: Ask): Promise<Record<string, string>> {
    if (this.#cookies === undefined) return {}
    const safe = ['GET', 'HEAD', 'OPTIONS'].includes(method)
    const token = safe || csrf === false ? undefined : (csrf ?? (await this.csrf()))
    const cookie = this.cookieHeader()
    return {
      ...(token === undefined ? {} : { 'x-csrf-token': token }),
      ...(cookie === '' ? {} : { cookie }),
    }
  }

  #keepCookies(answer: Answer): void {
    for (const line of answer.setCookies) {
      const [pair = '', ...attributes] = line.split(';')
      const [name = '', value = ''] = pair.split(/=(.*)/s)
      const gone = attributes.some((one) => /^\s*max-age=0\s*$/i.test(one) || isPast(one))
      if (gone || value === '') this.#cookies?.delete(name.trim())
      else this.#cookies?.set(name.trim(), value)
    }
  }
}

function isPast(attribute: string): boolean {
  const date = /^\s*expires=(.*)$/i.exec(attribute)?.[1]
  return date !== undefined && Date.parse(date) < Date.now()
}

function bodyOf({ form, json, raw }: Ask): { body?: string | Uint8Array; type?: string } {
  if (raw !== undefined) return { body: raw }
  if (json !== undefined) return { body: JSON.stringify(json), type: 'application/json' }
  if (form === undefined) return {}
  const fields = form instanceof URLSearchParams ? form : query(form)
  return { body: fields.toString(), type: 'application/x-www-form-urlencoded' }
}

/** Fields as a query or form has them; those that are undefined are left out. */
export function query(fields: Readonly<Record<string, string | undefined>>): URLSearchParams {
  return new URLSearchParams(withoutUndefined(fields))
}

function withoutUndefined(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
