/** Administrators' API keys (protocol §11). */
import { createApiKey } from '../domain/api-keys.ts'
import type { ApiKeyRecord } from '../domain/store.ts'
import type { User } from '../domain/user.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { json, refused } from './answer.ts'
import { actorOf, type Call, type Router, routesOf, type Service } from './service.ts'
import { basicUserJson } from './user-json.ts'

export function addApiKeyRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  route('POST', '/admin/api/keys', { who: 'admin' }, (call) => postApiKey(service, call))
  route('POST', '/admin/users/:id/generate_api_key', { who: 'admin', legacyQuery: true }, (call) =>
    generateLegacyApiKey(service, call),
  )
}

async function postApiKey(service: Service, call: Call): Promise<Response> {
  const { body } = call.sources
  const wrapped = body && !(body instanceof URLSearchParams) ? body.key : undefined
  const fields =
    typeof wrapped === 'object' && wrapped !== null && !Array.isArray(wrapped)
      ? (wrapped as Record<string, unknown>)
      : bracketed(body)
  if (!fields) {
    const example = '{"key":{"description":"backup script","username":"sam"}}'
    return refuse(service, call, refusal('parameters_missing', { missing: 'key', first: 'key', example }))
  }
  const unsupported = ['scopes', 'scope_mode'].find(
    (name) => Object.hasOwn(fields, name) && fields[name] !== 'global',
  )
  if (unsupported !== undefined) {
    const details = {
      field: unsupported,
      problem: 'this version makes only global API keys',
      expected: '`global`',
    }
    return refuse(service, call, refusal('parameter_invalid', details))
  }
  const read = readParameters(
    { query: new URLSearchParams(), body: fields },
    { description: { limit: 1020 }, username: { limit: 300 } },
  )
  if (read.outcome === 'refused') return refuse(service, call, read.refusal)
  const { description = '', username } = read.values
  if ([...description].length > 255) {
    const details = { field: 'description', problem: 'Description is too long (maximum is 255 characters)' }
    return refuse(service, call, refusal('record_invalid', details))
  }
  const user =
    username === undefined ? undefined : await service.domain.directory.findUserByUsername(username)
  if (username !== undefined && !user) return noSuchUser(service, call)
  const made = await createApiKey(service.domain, actorOf(call), { user, description, route: 'current' })
  return json({ key: apiKeyJson(made.record, { user, createdBy: call.identity?.user, text: made.text }) })
}

/** `key[description]=…` of a form body, as the wire's first clients send it. */
function bracketed(body: Call['sources']['body']): Record<string, unknown> | undefined {
  if (!(body instanceof URLSearchParams)) return undefined
  const fields = [...body].flatMap(([name, value]): [string, string][] => {
    const inner = /^key\[(\w+)\]$/.exec(name)?.[1]
    return inner === undefined ? [] : [[inner, value]]
  })
  return fields.length === 0 ? undefined : Object.fromEntries(fields)
}

/** The route of before 2019 (protocol §11.9): people still paste it from old answers. */
async function generateLegacyApiKey(service: Service, call: Call): Promise<Response> {
  const { legacy_api_key_routes: isOn, title } = service.domain.settings.current()
  if (!isOn) {
    const what = 'such route any more: make API keys with POST /admin/api/keys.json'
    return refused(call.visit, refusal('not_found', { what }), title)
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

function apiKeyJson(
  record: ApiKeyRecord,
  { user, createdBy, text }: { user: User | undefined; createdBy: User | undefined; text: string },
): Record<string, unknown> {
  return {
    id: record.id,
    key: text,
    truncated_key: record.truncatedKey,
    description: record.description,
    created_at: new Date(record.createdAt).toISOString(),
    updated_at: new Date(record.updatedAt).toISOString(),
    last_used_at: record.lastUsedAt === null ? null : new Date(record.lastUsedAt).toISOString(),
    revoked_at: null,
    scope_mode: 'global',
    api_key_scopes: [],
    user: user ? basicUserJson(user) : null,
    created_by: createdBy ? basicUserJson(createdBy) : null,
  }
}

function noSuchUser(service: Service, call: Call): Response {
  return refuse(service, call, refusal('not_found', { what: 'such user' }))
}

function refuse(service: Service, call: Call, why: Refusal): Response {
  return refused(call.visit, why, service.domain.settings.current().title)
}
