/** Administrators' API keys (protocol §11): for administrators alone, and for no user API key (decision 5). */
import {
  type ChangedApiKey,
  createApiKey,
  deleteApiKey,
  restoreApiKey,
  revokeApiKey,
  updateApiKey,
} from '../domain/api-keys.ts'
import type { ApiKeyRecord } from '../domain/store.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { json, refused, success } from './answer.ts'
import { apiKeyJson, grantedScopeJson, listedApiKeysJson, scopeCatalogueJson } from './api-key-json.ts'
import { readKeyChange, readNewKey } from './api-key-parameters.ts'
import { actorOf, type Call, type Router, routesOf, type Service } from './service.ts'
import { basicUserJson } from './user-json.ts'

/** How many keys a page of the list holds at most (protocol §11.1). */
const pageSize = 50

export function addApiKeyRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  const admin = { who: 'admin' } as const
  route('GET', '/admin/api/keys', admin, (call) => listApiKeys(service, call))
  route('POST', '/admin/api/keys', admin, (call) => postApiKey(service, call))
  // Before the keys by their ids: `scopes` is none.
  route('GET', '/admin/api/keys/scopes', admin, async () =>
    json({ scopes: scopeCatalogueJson(service.domain.apiKeyScopes) }),
  )
  route('GET', '/admin/api/keys/:id', admin, (call) => showApiKey(service, call))
  route('PUT', '/admin/api/keys/:id', admin, (call) => putApiKey(service, call))
  route('DELETE', '/admin/api/keys/:id', admin, async (call) => {
    const outcome = await deleteApiKey(service.domain, actorOf(call), idOf(call))
    return outcome.outcome === 'refused' ? refuse(service, call, outcome.refusal) : success()
  })
  // The root of these two answers is `api_key`, not `key`: scripts that were written for it read that.
  route('POST', '/admin/api/keys/:id/revoke', admin, async (call) =>
    answerChange(service, call, 'api_key', await revokeApiKey(service.domain, actorOf(call), idOf(call))),
  )
  route('POST', '/admin/api/keys/:id/undo-revoke', admin, async (call) =>
    answerChange(service, call, 'api_key', await restoreApiKey(service.domain, actorOf(call), idOf(call))),
  )
  route('GET', '/session/scopes', { who: 'anyone' }, async (call) => tellScopes(service, call))
  route('POST', '/admin/users/:id/generate_api_key', { who: 'admin', legacyQuery: true }, (call) =>
    generateLegacyApiKey(service, call),
  )
}

async function listApiKeys(service: Service, call: Call): Promise<Response> {
  const read = readParameters(call.sources, {
    offset: { limit: 15, digits: true },
    limit: { limit: 15, digits: true },
  })
  if (read.outcome === 'refused') return refuse(service, call, read.refusal)
  const { offset: offsetText = '0', limit: limitText = String(pageSize) } = read.values
  const offset = wholeNumber('offset', offsetText, Number.MAX_SAFE_INTEGER)
  const limit = wholeNumber('limit', limitText, pageSize)
  for (const one of [offset, limit]) if (typeof one === 'object') return refuse(service, call, one)
  const page = { offset: Number(offset), limit: Number(limit) }
  const { store, directory } = service.domain
  const keys = await listedApiKeysJson(directory, await store.apiKeys.list(page))
  return json({ keys, ...page })
}

async function postApiKey(service: Service, call: Call): Promise<Response> {
  const { domain } = service
  const asked = readNewKey(call.sources, domain.apiKeyScopes)
  if ('reason' in asked) return refuse(service, call, asked)
  const { username, dropped, ...request } = asked
  const user = username === undefined ? undefined : await domain.directory.findUserByUsername(username)
  if (username !== undefined && !user) return noSuchUser(service, call)
  const made = await createApiKey(domain, actorOf(call), { ...request, user, route: 'current' })
  const key = await apiKeyJson(domain.directory, domain.apiKeyScopes, made.record)
  // A parameter that was misspelt would otherwise leave a key wider than its maker believes, without a word.
  const warnings = dropped.map((one) => `${one}: the scope has no such parameter, and is not narrowed by it`)
  return json({ key: { ...key, key: made.text }, ...(warnings.length === 0 ? {} : { warnings }) })
}

async function showApiKey(service: Service, call: Call): Promise<Response> {
  const id = idOf(call)
  const record = await service.domain.store.apiKeys.findById(id)
  if (!record) return refuse(service, call, refusal('not_found', { what: `API key ${id}` }))
  return answerKey(service, 'key', record)
}

async function putApiKey(service: Service, call: Call): Promise<Response> {
  const change = readKeyChange(call.sources)
  if ('reason' in change) return refuse(service, call, change)
  const outcome = await updateApiKey(service.domain, actorOf(call), idOf(call), change)
  return answerChange(service, call, 'key', outcome)
}

/** What the key that asks may do. Anybody else finds nothing here, not even an error's words (protocol §11.7). */
function tellScopes({ domain }: Service, { identity }: Call): Response {
  if (identity?.via !== 'api_key') return new Response(null, { status: 404 })
  const { scopes } = identity.apiKey
  return json({ scopes: scopes.map((scope) => grantedScopeJson(domain.apiKeyScopes, scope)) })
}

/** The route of before 2019 (protocol §11.9): people still paste it from old answers. */
async function generateLegacyApiKey(service: Service, call: Call): Promise<Response> {
  const { legacy_api_key_routes: isOn } = service.domain.settings.current()
  if (!isOn) {
    const what = 'such route any more: make API keys with POST /admin/api/keys.json'
    return refuse(service, call, refusal('not_found', { what }))
  }
  const user = await service.domain.directory.findUserById(call.segment('id'))
  if (!user) return noSuchUser(service, call)
  const description = 'made by generate_api_key'
  const made = await createApiKey(service.domain, actorOf(call), { user, description, route: 'legacy' })
  const response = json({ api_key: { id: made.record.id, key: made.text, user: basicUserJson(user) } })
  response.headers.set('deprecation', '@1546300800')
  response.headers.set(
    'link',
    `<${service.baseUrl(call.visit)}/admin/api/keys.json>; rel="successor-version"`,
  )
  return response
}

async function answerChange(
  service: Service,
  call: Call,
  root: 'key' | 'api_key',
  outcome: ChangedApiKey,
): Promise<Response> {
  if (outcome.outcome === 'refused') return refuse(service, call, outcome.refusal)
  return answerKey(service, root, outcome.record)
}

async function answerKey(
  { domain }: Service,
  root: 'key' | 'api_key',
  record: ApiKeyRecord,
): Promise<Response> {
  return json({ [root]: await apiKeyJson(domain.directory, domain.apiKeyScopes, record) })
}

/** The id in the path; 0, which no key has, for what cannot be one. */
function idOf(call: Call): number {
  const text = call.segment('id')
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : 0
}

function wholeNumber(field: string, text: string, maximum: number): number | Refusal {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value <= maximum) return value
  const expected = `a whole number${maximum === pageSize ? ` up to ${pageSize}` : ''}`
  return refusal('parameter_invalid', { field, problem: 'it is out of range', expected })
}

function noSuchUser(service: Service, call: Call): Response {
  return refuse(service, call, refusal('not_found', { what: 'such user' }))
}

function refuse(service: Service, call: Call, why: Refusal): Response {
  return refused(call.visit, why, service.domain.settings.current().title)
}
