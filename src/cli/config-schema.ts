/**
 * The one description of the config file: `load-config.ts` reads files by it, and `hallpass.schema.json` is made from it
 * (`npm run docs`). Its members are held against the type by the compiler.
 */

import type {
  DiscourseConnectOptions,
  OpenIdConnectOptions,
  ProxyHeaderOptions,
} from '../identity/sign-in-options.ts'
import type { ApiKeyScopeDefinition } from '../protocol/api-key-scope-definition.ts'
import { routeFormats } from '../protocol/route.ts'
import type { ParameterAlias, RouteMatcher } from '../protocol/route-matcher.ts'
import type { OwnScope } from '../protocol/scopes.ts'
import { type SettingDefinition, settingsCatalogue } from '../protocol/settings.ts'
import type { HallpassConfig, LocalSignInConfig } from '../server/config.ts'
import type { JsonSchema } from './json-schema.ts'
import { logFormats, logLevels } from './server-log.ts'

type Members<T> = Record<keyof T, JsonSchema>

const text: JsonSchema = { type: 'string', minLength: 1 }
const texts: JsonSchema = { type: 'array', items: text }
const webAddress: JsonSchema = {
  type: 'string',
  pattern: '^https?://[^\\s]+$',
  expected: 'an address such as https://id.example.com',
}
const secret: JsonSchema = { type: 'string', minLength: 1, writeOnly: true, expected: 'a secret, as text' }

const aliasMembers: Members<ParameterAlias> = {
  name: { ...text, description: 'The other name.' },
  takes: {
    type: 'string',
    enum: ['last_segment_number'],
    description:
      'What of the value counts: all of it where this is left out, or its last path segment if a number.',
  },
}

const routeMembers: Members<RouteMatcher> = {
  methods: {
    type: 'array',
    minItems: 1,
    items: { type: 'string', pattern: '^[A-Z]+$', expected: 'a method in capital letters, such as GET' },
    description: 'The methods it permits. GET includes HEAD. Left out: every method.',
  },
  paths: {
    type: 'array',
    minItems: 1,
    items: { type: 'string', pattern: '^/', expected: 'a route pattern such as /invoices/:id' },
    description:
      'Route patterns without the format’s suffix; :name stands for one segment, :name{[0-9]+} for one of digits, * for one or more. The first that matches decides. Left out: every path.',
  },
  formats: {
    type: 'array',
    minItems: 1,
    items: { type: 'string', enum: routeFormats },
    description: 'Suffixes, one of which the address must have. Left out: any, or none.',
  },
  params: {
    ...texts,
    description: 'Parameters of query, body or path that a key can be narrowed to values of.',
  },
  pathParams: { ...texts, description: 'The same, for parameters of the path alone.' },
  aliases: {
    type: 'object',
    additionalProperties: objectOf(aliasMembers, ['name']),
    description: 'Other names for parameters, by the name that a key is narrowed by.',
  },
}

const routes: JsonSchema = {
  type: 'array',
  items: objectOf(routeMembers, []),
  description: 'The requests that the scope permits; one of these must match.',
}

const scopeMembers: Members<OwnScope> = {
  name: {
    type: 'string',
    pattern: '^[a-z0-9][a-z0-9_\\-]*(:[a-z0-9][a-z0-9_\\-]*)?$',
    maxLength: 100,
    description: 'Its name on the wire, best <application>:<scope>.',
    expected: 'lower-case letters, digits, _ and -, such as shop:invoices_read, at most 100 characters',
  },
  label: { ...text, description: 'What an app with the scope may do, in the words of the consent page.' },
  description: { ...text, description: 'The same for developers: one sentence, with the limits.' },
  routes,
  marksWrite: {
    type: 'boolean',
    default: false,
    description: 'Whether the consent page warns that the app can change things at will.',
  },
}

const scopePart: JsonSchema = {
  type: 'string',
  pattern: '^[a-z0-9][a-z0-9_\\-]*$',
  maxLength: 100,
  expected: 'lower-case letters, digits, _ and -, at most 100 characters',
}

const apiKeyScopeMembers: Members<ApiKeyScopeDefinition> = {
  resource: { ...scopePart, description: 'What it is about, such as invoices.' },
  action: { ...scopePart, description: 'What may be done to it, such as read.' },
  routes: { ...routes, minItems: 1 },
}

const localMembers: Members<LocalSignInConfig> = { method: { type: 'string', const: 'local' } }

const label: JsonSchema = { ...text, description: 'What the other service is called on pages.' }

const openIdConnectMembers: Members<OpenIdConnectOptions> = {
  method: { type: 'string', const: 'openid-connect' },
  issuer: { ...webAddress, description: 'The provider’s issuer identifier.' },
  clientId: text,
  clientSecret: { ...secret, description: 'Left out: a public client.' },
  scope: { ...text, default: 'openid profile email', description: 'What is asked for.' },
  label,
  adminClaim: {
    ...objectOf({ name: text, value: text }, ['name', 'value']),
    description: 'The claim of the ID token that makes an administrator, and the value that it has or holds.',
  },
}

const discourseConnectMembers: Members<DiscourseConnectOptions> = {
  method: { type: 'string', const: 'discourse-connect' },
  url: {
    ...webAddress,
    description: 'The provider’s address.',
    expected: 'an address such as https://forum.example.com/session/sso_provider',
  },
  secret: {
    ...secret,
    minLength: 10,
    description: 'What both sites know.',
    expected: 'the secret that both sites know, 10 characters at least',
  },
  label,
  staff: { type: 'boolean', default: false, description: 'Whether who is staff there is staff here.' },
}

const headerName: JsonSchema = {
  type: 'string',
  pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~\\-]+$",
  expected: 'the name of a header, such as X-Remote-User',
}

const proxyHeaderMembers: Members<ProxyHeaderOptions> = {
  method: { type: 'string', const: 'proxy-header' },
  userHeader: { ...headerName, description: 'The header that names the user.' },
  nameHeader: { ...headerName, description: 'The header with the full name.' },
  emailHeader: { ...headerName, description: 'The header with the e-mail address.' },
  admins: { ...texts, description: 'Who is an administrator.' },
}

const configMembers: Members<HallpassConfig> = {
  $schema: { type: 'string', description: 'For editors: the address of this schema.' },
  port: {
    type: 'integer',
    minimum: 0,
    maximum: 65_535,
    default: 4000,
    description: 'The port to listen on; 0 takes a free one.',
  },
  host: { ...text, default: '127.0.0.1', description: 'The address to listen on.' },
  data: {
    ...text,
    default: './data',
    description: 'Folder of the embedded database. One that is not absolute counts from this file’s folder.',
    expected: 'the path of a folder',
  },
  database: {
    type: 'string',
    pattern: '^postgres(ql)?://',
    description:
      'Address of a PostgreSQL database in the place of the embedded one. A password is better off in DATABASE_URL or PGPASSWORD.',
    expected: 'an address such as postgres://user@host:5432/name',
  },
  baseUrl: {
    type: 'string',
    pattern: '^https?://[^/?#@\\s]+/?$',
    description: 'The address people reach the site by. Default: the one that each request was sent to.',
    expected: 'an address such as https://forum.example.com, without a path',
  },
  upstream: {
    type: 'string',
    pattern: '^https?://[^/?#@\\s]+/?$',
    description: 'The application that Hallpass stands in front of as a gateway.',
    expected: 'an address such as http://127.0.0.1:3000, without a path',
  },
  requireSignIn: {
    type: 'boolean',
    default: false,
    description: 'Whether nobody gets through to the upstream without a sign-in or a key.',
  },
  forum: {
    type: 'boolean',
    description:
      'Whether the small forum is the site that is guarded. Default: true where there is no upstream.',
  },
  trustedProxies: {
    type: 'array',
    items: { ...text, expected: 'an IP address or range, such as 127.0.0.1, 10.0.0.0/8 or 2001:db8::/32' },
    description: 'Addresses and ranges of the proxies whose X-Forwarded-For is believed. Default: none.',
  },
  allowPrivatePush: {
    type: 'boolean',
    default: false,
    description: 'Whether pushes may go to private addresses.',
  },
  metrics: {
    type: 'boolean',
    default: false,
    description: 'Whether metrics are kept, for administrators at /hallpass/metrics.',
  },
  metricsPort: {
    type: 'integer',
    minimum: 0,
    maximum: 65_535,
    description: 'A port where /metrics asks for no credential; 0 takes a free one. Default: none.',
  },
  metricsHost: { ...text, default: '127.0.0.1', description: 'The address that port is on.' },
  logLevel: {
    type: 'string',
    enum: logLevels,
    description: 'What is worth a line in the log: at debug every request, at info refusals. Default info.',
  },
  logFormat: {
    type: 'string',
    enum: logFormats,
    description: 'The form of the log: auto is text on a terminal, else JSON. Default auto.',
  },
  redis: {
    type: 'string',
    pattern: '^rediss?://[^/?#\\s]+(?:/\\d*)?$',
    writeOnly: true,
    description: 'The Redis that limits are shared through with other nodes. Default: none.',
    expected: 'an address such as redis://127.0.0.1:6379',
  },
  databasePool: {
    type: 'integer',
    minimum: 2,
    maximum: 1000,
    default: 10,
    description:
      'How many connections to PostgreSQL each process keeps at the most, beside the one on which it hears of changes.',
  },
  workers: {
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 256,
    pattern: '^auto$',
    default: 1,
    description: 'How many processes answer on the port; auto is as many as there are cores.',
    expected: 'a number from 1 to 256, or auto',
  },
  scopes: {
    type: 'array',
    items: objectOf(scopeMembers, ['name', 'label', 'description', 'routes']),
    description: 'Scopes for the application’s own routes, which users can give to apps.',
  },
  apiKeyScopes: {
    type: 'array',
    items: objectOf(apiKeyScopeMembers, ['resource', 'action', 'routes']),
    description: 'Scopes for the application’s own routes, for administrators’ API keys.',
  },
  settings: {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(settingsCatalogue).map(([name, setting]) => [name, settingSchema(setting)]),
    ),
    description: 'Settings that nobody may change while the server runs.',
    expected: 'an object of settings, as docs/settings.md lists them',
  },
  signIn: {
    oneOf: [
      objectOf(localMembers, ['method']),
      objectOf(openIdConnectMembers, ['method', 'issuer', 'clientId']),
      objectOf(discourseConnectMembers, ['method', 'url', 'secret']),
      objectOf(proxyHeaderMembers, ['method', 'userHeader']),
    ],
    description: 'How people sign in. Default: with local accounts.',
  },
}

/** What a config file may say. */
export const configSchema: JsonSchema = objectOf(configMembers, [])

/** The text of `hallpass.schema.json`, for editors. */
export function publishedSchema(): string {
  const head = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of Hallpass',
  }
  const withoutOurs = (key: string, value: unknown): unknown => (key === 'expected' ? undefined : value)
  return `${JSON.stringify({ ...head, ...configSchema }, withoutOurs, 2)}\n`
}

function objectOf(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]): JsonSchema {
  return { type: 'object', properties, additionalProperties: false, ...(required.length > 0 && { required }) }
}

function settingSchema(setting: SettingDefinition): JsonSchema {
  const { description, default: normally } = setting
  const shared = { description, ...(setting.secret && { writeOnly: true as const }) }
  switch (setting.kind) {
    case 'integer': {
      const { minimum, maximum, unit } = setting
      const expected = `a whole number of ${unit} from ${minimum} to ${maximum}`
      return { ...shared, type: 'integer', minimum, maximum, default: normally, expected }
    }
    case 'boolean':
      return { ...shared, type: 'boolean', default: normally }
    case 'string':
      return {
        ...shared,
        type: 'string',
        maxLength: setting.maximumLength,
        ...(setting.choices && { enum: setting.choices }),
        default: normally,
      }
    case 'list':
      // The wire separates items with `|`, so none can hold one.
      return {
        ...shared,
        type: 'array',
        items: { type: 'string', pattern: '^[^|]+$', expected: 'a text without |' },
        default: normally,
      }
  }
}
