/** What an administrator's scripts call: accounts and site settings. */
import { changeAccount, createAccount } from '../domain/accounts.ts'
import type { Identity } from '../domain/identity.ts'
import { changeSetting } from '../domain/settings.ts'
import type { AccountChange } from '../domain/store.ts'
import { accountIdOf, type User } from '../domain/user.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { type ParameterSpec, readParameters } from '../protocol/parameters.ts'
import { formatSetting } from '../protocol/setting-values.ts'
import { type SettingDefinition, type SettingName, settingsCatalogue } from '../protocol/settings.ts'
import { json, refused, success } from './answer.ts'
import { actorOf, type Call, type Router, routesOf, type Service } from './service.ts'
import { readTime } from './typed-parameters.ts'
import { adminUserJson, wireUserId } from './user-json.ts'

export function addAdministrationRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  const admin = { who: 'admin' } as const
  route('POST', '/users', admin, (call) => postUser(service, call))
  route('GET', '/admin/users/:id', admin, async (call) => {
    const user = await findUser(service, call)
    return user ? json(adminUserJson(user)) : noSuchUser(service, call)
  })
  for (const [verb, change] of Object.entries(accountVerbs)) {
    route('PUT', `/admin/users/:id/${verb}`, admin, (call) => putUser(service, call, verb, change))
  }
  route('GET', '/admin/site_settings', admin, async ({ identity }) =>
    json({ site_settings: settingsJson(service, identity) }),
  )
  route('PUT', '/admin/site_settings/:name', admin, (call) => putSetting(service, call))
}

async function postUser(service: Service, call: Call): Promise<Response> {
  const read = readParameters(call.sources, {
    username: { limit: 300 },
    password: { limit: 1000 },
    name: { limit: 1000 },
    email: { limit: 400 },
  })
  if (read.outcome === 'refused') return refuse(service, call, read.refusal)
  const { username = '', password = '', name = '', email = '' } = read.values
  const outcome = await createAccount(service.domain, actorOf(call), { username, password, name, email })
  if (outcome.outcome === 'refused') return refuse(service, call, outcome.refusal)
  return json({
    success: true,
    active: true,
    message: 'The account is ready.',
    user_id: wireUserId(outcome.user.id),
  })
}

/** What would shut out the administrator it is done to. */
const lockingOut = ['revoke_admin', 'deactivate', 'suspend']

type ReadChange = (call: Call) => AccountChange | Refusal

/** The routes of protocol's administration that change an account, and what each changes. */
const accountVerbs: Readonly<Record<string, ReadChange>> = {
  grant_admin: () => ({ admin: true }),
  revoke_admin: () => ({ admin: false }),
  grant_moderation: () => ({ moderator: true }),
  revoke_moderation: () => ({ moderator: false }),
  activate: () => ({ active: true }),
  deactivate: () => ({ active: false }),
  unsuspend: () => ({ suspendedUntil: null }),
  trust_level: (call) => {
    const level = parameter(call, 'level', { limit: 5, digits: true })
    if (typeof level === 'object') return level
    return level !== undefined && /^[0-4]$/.test(level)
      ? { trustLevel: Number(level) }
      : refusal('parameter_invalid', { field: 'level', problem: 'it is no trust level', expected: '0 to 4' })
  },
  suspend: (call) => {
    const until = parameter(call, 'suspend_until', { limit: 40 })
    if (typeof until === 'object') return until
    const time = readTime('suspend_until', until ?? '')
    return typeof time === 'object' ? time : { suspendedUntil: time }
  },
}

async function putUser(service: Service, call: Call, verb: string, read: ReadChange): Promise<Response> {
  const id = accountIdOf(call.segment('id'))
  if (id === undefined) return noSuchUser(service, call)
  const change = read(call)
  if ('reason' in change) return refuse(service, call, change)
  // Whoever asks is an active administrator, so that the site keeps one as long as nobody can do this to themselves.
  if (lockingOut.includes(verb) && call.identity?.user.id === String(id)) {
    const why = refusal('not_permitted', {
      problem: 'you cannot take your own access away',
      remedy: 'ask another administrator to do it',
    })
    return refuse(service, call, why)
  }
  const outcome = await changeAccount(service.domain, actorOf(call), id, change, verb)
  if (outcome.outcome === 'refused') return refuse(service, call, outcome.refusal)
  return json({ success: 'OK', admin_user: adminUserJson(outcome.user) })
}

/** A key that may only look learns no secret: with one it could do more than look. Its value is null there. */
function settingsJson(service: Service, identity: Identity | undefined): Record<string, unknown>[] {
  const { settings } = service.domain
  const current = settings.current()
  const onlyLooks = identity?.via === 'api_key' && identity.apiKey.scopeMode !== 'global'
  return (Object.keys(settingsCatalogue) as SettingName[]).map((setting) => {
    const definition: SettingDefinition = settingsCatalogue[setting]
    const isHidden = definition.secret === true && onlyLooks
    return {
      setting,
      value: isHidden ? null : formatSetting(setting, current[setting]),
      default: formatSetting(setting, definition.default),
      description: definition.description,
      type: definition.kind,
      pinned: settings.isPinned(setting),
    }
  })
}

async function putSetting(service: Service, call: Call): Promise<Response> {
  const name = call.segment('name')
  const text = settingText(call, name)
  if (typeof text === 'object') return refuse(service, call, text)
  const outcome = await changeSetting(service.domain, actorOf(call), name, text)
  return outcome.outcome === 'refused' ? refuse(service, call, outcome.refusal) : success()
}

/** A setting's new value is the parameter of its own name. JSON may give a boolean, a number or a list as such. */
function settingText(call: Call, name: string): string | Refusal {
  const { body } = call.sources
  const value =
    body && !(body instanceof URLSearchParams) && Object.hasOwn(body, name) ? body[name] : undefined
  if (typeof value === 'boolean' || typeof value === 'number') return String(value)
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join('|')
  const sources = [body instanceof URLSearchParams ? body : undefined, call.sources.query]
  const text =
    typeof value === 'string' ? value : sources.map((source) => source?.get(name)).find((one) => one != null)
  if (text === undefined || text === null) {
    const example = `${name}=VALUE`
    return refusal('parameters_missing', { missing: name, first: name, example })
  }
  if (text.length > 20_000)
    return refusal('parameter_too_long', { field: name, actual: text.length, limit: 20_000 })
  return text
}

async function findUser(service: Service, call: Call): Promise<User | undefined> {
  return service.domain.directory.findUserById(call.segment('id'))
}

function noSuchUser(service: Service, call: Call): Response {
  return refuse(service, call, refusal('not_found', { what: 'such user' }))
}

function parameter(call: Call, name: string, spec: ParameterSpec): string | Refusal | undefined {
  const read = readParameters(call.sources, { [name]: spec })
  return read.outcome === 'refused' ? read.refusal : read.values[name]
}

function refuse(service: Service, call: Call, why: Refusal): Response {
  return refused(call.visit, why, service.domain.settings.current().title)
}
