/** What an administrator's scripts do with site settings. */
import type { Identity } from '../domain/identity.ts'
import { changeSetting } from '../domain/settings.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { formatSetting } from '../protocol/setting-values.ts'
import { type SettingDefinition, type SettingName, settingsCatalogue } from '../protocol/settings.ts'
import { json, refused, success } from './answer.ts'
import { actorOf, type Call, type Router, routesOf, type Service } from './service.ts'

export function addSettingRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  const admin = { who: 'admin' } as const
  route('GET', '/admin/site_settings', admin, async ({ identity }) =>
    json({ site_settings: settingsJson(service, identity) }),
  )
  route('PUT', '/admin/site_settings/:name', admin, (call) => putSetting(service, call))
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

function refuse(service: Service, call: Call, why: Refusal): Response {
  return refused(call.visit, why, service.domain.settings.current().title)
}
