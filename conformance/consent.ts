/** What several cases do with `GET` and `POST /user-api-key…`. */
import type { Answer } from './exchange.ts'
import { check, equal, fields, noFault, object, ok, redirect, refusal, status } from './expect.ts'
import type { ApproveOptions, AuthorizationFields, IssuedKey, Site } from './site.ts'
import type { Visitor } from './visitor.ts'

/** Fails unless a good request leads to the state `ready`; answers with the model. */
export async function ready(
  site: Site,
  change: AuthorizationFields,
  by?: Visitor,
): Promise<Record<string, unknown>> {
  const visitor = by ?? (await site.user()).browser
  const answer = await visitor.get(await site.asking(change))
  const model = ok(answer)
  equal(model.state, 'ready', 'the state', answer)
  return model
}

/** Fails unless the request of a visitor leads to `generic_error` with 200. */
export async function genericError(site: Site, change: AuthorizationFields): Promise<Answer> {
  const answer = await site.visitor().get(await site.asking(change))
  equal(ok(answer).state, 'generic_error', 'the state', answer)
  return answer
}

/** Fails unless a request is refused in whichever way its fault is: 400, or `generic_error` with 200. */
export async function faulty(site: Site, change: AuthorizationFields): Promise<void> {
  const answer = await site.visitor().get(await site.asking(change))
  noFault(answer)
  if (answer.status === 400) return
  equal(object(status(answer, 200)).state, 'generic_error', 'the state', answer)
}

/** Approves as the first user, and answers with the answer, whatever it is. */
export async function post(site: Site, change: AuthorizationFields, by?: Visitor): Promise<Answer> {
  const visitor = by ?? (await site.user()).browser
  return visitor.post('/user-api-key.json', await site.request(change))
}

/** Fails unless an approval is refused with that status and type. */
export async function refusedApproval(
  site: Site,
  change: AuthorizationFields,
  expected: readonly [status: number, type: string | undefined],
): Promise<Record<string, unknown>> {
  return refusal(await post(site, change), ...expected)
}

/** Approves with a redirect; answers with the address, the values in it, and the key. */
export async function approveWithRedirect(
  site: Site,
  change: AuthorizationFields & { readonly auth_redirect: string },
  options: ApproveOptions = {},
): Promise<{ readonly address: string; readonly issued: IssuedKey; readonly answer: Answer }> {
  const request = await site.request(change)
  const by = options.by ?? (await site.user()).browser
  const answer = await by.post('/user-api-key.json', request)
  const body = ok(answer)
  fields(body, ['redirect_url'], 'the answer', answer)
  const address = String(body.redirect_url)
  return {
    address,
    answer,
    issued: await site.issued(valueIn(address, 'payload', answer), request, options, answer),
  }
}

/** Approves as a browser's form does, and answers with where it is sent. */
export async function approveInBrowser(site: Site, change: AuthorizationFields): Promise<string> {
  const { browser } = await site.user()
  const answer = await browser.post('/user-api-key', await site.request(change), { accept: 'html' })
  return redirect(answer)
}

/** A value in an address's query, unescaped as forms are. Fails unless it is there exactly once. */
export function valueIn(address: string, name: string, answer?: Answer): string {
  const query = address.split('#', 1)[0]?.split('?').slice(1).join('?') ?? ''
  const values = new URLSearchParams(query).getAll(name)
  check(values.length === 1, `the address has ${values.length} times ${name}: ${address}`, answer)
  return values[0] ?? ''
}

/** A list of groups that no ordinary user is in: staff, and trust level 4. */
export const staffOnly: Readonly<Record<string, string>> = { user_api_key_allowed_groups: '1|2|14' }
