/** What `hallpass serve` needs to start: flags, then the environment, then the config file, then defaults. */
import { availableParallelism } from 'node:os'
import { addressMatcher } from '../domain/address.ts'
import type { PinnedSettings } from '../domain/settings.ts'
import type { SignInOptions } from '../identity/sign-in-options.ts'
import type { ApiKeyScopeDefinition } from '../protocol/api-key-scope-definition.ts'
import { HallpassError } from '../protocol/errors.ts'
import type { OwnScope } from '../protocol/scopes.ts'
import { formatSetting, isSettingName } from '../protocol/setting-values.ts'
import type { HallpassConfig } from '../server/config.ts'
import { isRedisUrl } from '../server/redis-limits.ts'
import type { ObservingOptions } from './observing.ts'
import { dataPlace } from './open-data.ts'
import { logFormats, logLevels } from './server-log.ts'

/** The flags of `hallpass serve`, as they were typed. */
export interface ServeFlags {
  readonly port?: string
  readonly host?: string
  readonly data?: string
  readonly database?: string
  readonly baseUrl?: string
  readonly trustedProxy?: readonly string[]
  /** False for `--no-forum`. */
  readonly forum?: boolean
  readonly config?: string
  readonly upstream?: string
  readonly requireSignIn?: boolean
  readonly metrics?: boolean
  readonly metricsPort?: string
  readonly logLevel?: string
  readonly logFormat?: string
  readonly redis?: string
  readonly workers?: string
}

export interface ServeOptions {
  readonly port: number
  readonly host: string
  /** Folder of the embedded database. */
  readonly data: string
  /** Where else a PostgreSQL database is named, which the folder is stronger than. */
  readonly passedOver?: string
  /** Address of the PostgreSQL database in its place; undefined where there is none. */
  readonly database: string | undefined
  /** How many connections to PostgreSQL each process keeps at the most; undefined where nobody said. */
  readonly databasePool: number | undefined
  /** Undefined where nobody said: the address that each request was sent to. */
  readonly baseUrl: string | undefined
  /** Addresses and ranges of the proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  /** Whether the small forum is the site; without it there are Hallpass's own routes alone, for use behind a proxy. */
  readonly forum: boolean
  /** Whether pushes may go to private addresses. */
  readonly allowPrivatePush: boolean
  /** The application behind the gateway; undefined where there is none. */
  readonly upstream: string | undefined
  /** Whether nobody comes to the application behind the gateway without a sign-in or a key. */
  readonly requireSignIn: boolean
  /** The address of the Redis that limits are shared through; undefined where there is none. */
  readonly redis: string | undefined
  /** How many processes answer on the port. */
  readonly workers: number
  /** Undefined where nobody said: with local accounts. */
  readonly signIn: SignInOptions | undefined
  /** The site owner's own, beside the protocol's. */
  readonly scopes: readonly OwnScope[]
  readonly apiKeyScopes: readonly ApiKeyScopeDefinition[]
  readonly pinnedSettings: PinnedSettings
  /** How it can be watched. */
  readonly observing: ObservingOptions
  /** The first administrator, made on an empty database. */
  readonly admin: {
    readonly username: string
    readonly password: string | undefined
    readonly apiKey: string | undefined
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * `file` is what the config file says, already checked.
 *
 * @throws HallpassError naming the flag or variable that cannot be used, and what it takes
 */
export function readServeOptions(
  flags: ServeFlags,
  environment: Environment,
  file: HallpassConfig = {},
): ServeOptions {
  const inFile = file.port ?? 4000
  const port = pick(flags.port, '--port', environment, 'HALLPASS_PORT') ?? {
    value: String(inFile),
    source: '',
  }
  if (!/^\d{1,5}$/.test(port.value) || Number(port.value) > 65_535) {
    throw unusable(port, 'a port number from 0 to 65535')
  }
  const baseUrl = pick(flags.baseUrl, '--base-url', environment, 'HALLPASS_BASE_URL')
  if (baseUrl && !isSiteAddress(baseUrl.value)) {
    throw unusable(baseUrl, 'an address such as https://forum.example.com, without a path')
  }
  const apiKey = pick(undefined, '', environment, 'HALLPASS_ADMIN_API_KEY')
  if (apiKey && !/^[0-9a-f]{64}$/.test(apiKey.value)) {
    throw new HallpassError(
      'configuration_invalid',
      'HALLPASS_ADMIN_API_KEY is not a key',
      'give 64 characters of 0-9 and a-f',
    )
  }
  const allowPrivatePush = pick(undefined, '', environment, 'HALLPASS_ALLOW_PRIVATE_PUSH')
  if (allowPrivatePush && !/^[01]$/.test(allowPrivatePush.value)) {
    throw unusable(allowPrivatePush, '1 to let pushes go to private addresses, 0 to refuse them')
  }
  const upstream = pick(flags.upstream, '--upstream', environment, 'HALLPASS_UPSTREAM')
  if (upstream && !isSiteAddress(upstream.value)) {
    throw unusable(upstream, 'an address such as http://127.0.0.1:3000, without a path')
  }
  const behind = upstream?.value ?? file.upstream
  const redis = pick(flags.redis, '--redis', environment, 'REDIS_URL')
  // Not the value, which may hold a password.
  if (redis && !isRedisUrl(redis.value)) {
    throw unusable({ ...redis, value: 'what was given' }, 'an address such as redis://127.0.0.1:6379')
  }
  const host = pick(flags.host, '--host', environment, 'HALLPASS_HOST')?.value ?? file.host ?? '127.0.0.1'
  if (behind !== undefined && isItself(behind, { host, port: Number(port.value) })) {
    throw new HallpassError(
      'configuration_invalid',
      `the upstream ${behind} is where hallpass itself listens`,
      'give the address of the application, or another port: --port',
    )
  }
  const requireSignIn = flags.requireSignIn ?? file.requireSignIn ?? false
  if (requireSignIn && behind === undefined) {
    throw new HallpassError(
      'configuration_invalid',
      'a sign-in can be required for an application behind the gateway, and there is none',
      'name it with --upstream. behind a proxy that asks, the setting forward_auth_requires_identity does the same',
    )
  }
  return {
    port: Number(port.value),
    host,
    ...dataPlace(flags, environment, file),
    databasePool: readPool(pick(undefined, '', environment, 'HALLPASS_DATABASE_POOL')) ?? file.databasePool,
    baseUrl: baseUrl?.value ?? file.baseUrl,
    trustedProxies:
      flags.trustedProxy || environment.HALLPASS_TRUSTED_PROXIES
        ? readTrustedProxies(flags.trustedProxy, environment.HALLPASS_TRUSTED_PROXIES)
        : (file.trustedProxies ?? []),
    allowPrivatePush: allowPrivatePush ? allowPrivatePush.value === '1' : (file.allowPrivatePush ?? false),
    upstream: behind,
    requireSignIn,
    forum: flags.forum !== false && (file.forum ?? behind === undefined),
    redis: redis?.value ?? file.redis,
    workers: readWorkers(
      pick(flags.workers, '--workers', environment, 'HALLPASS_WORKERS') ?? {
        value: String(file.workers ?? 1),
        source: 'workers',
      },
    ),
    signIn: file.signIn?.method === 'local' ? undefined : file.signIn,
    scopes: file.scopes ?? [],
    apiKeyScopes: file.apiKeyScopes ?? [],
    pinnedSettings: pinnedSettings(file),
    observing: readObservingOptions(flags, environment, file),
    admin: {
      username: environment.HALLPASS_ADMIN_USERNAME || 'admin',
      password: environment.HALLPASS_ADMIN_PASSWORD || undefined,
      apiKey: apiKey?.value,
    },
  }
}

/** The settings that a config file pins, in the wire's text form. */
export function pinnedSettings({ settings = {} }: HallpassConfig): PinnedSettings {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) =>
      isSettingName(name) && value !== undefined ? [[name, formatSetting(name, value)]] : [],
    ),
  )
}

/** `auto` is as many as the machine has cores for this process. */
function readWorkers(given: Given): number {
  if (given.value === 'auto') return availableParallelism()
  const count = /^\d{1,3}$/.test(given.value) ? Number(given.value) : 0
  if (count < 1 || count > mostWorkers) throw unusable(given, `a number from 1 to ${mostWorkers}, or auto`)
  return count
}

const mostWorkers = 256

function readPool(given: Given | undefined): number | undefined {
  if (!given) return undefined
  const count = /^\d{1,4}$/.test(given.value) ? Number(given.value) : 0
  if (count < 2 || count > 1000) throw unusable(given, 'a number of connections from 2 to 1000')
  return count
}

function readTrustedProxies(flags: readonly string[] | undefined, variable = ''): readonly string[] {
  const source = flags ? '--trusted-proxy' : 'HALLPASS_TRUSTED_PROXIES'
  const ranges = (flags ?? variable.split(',')).map((range) => range.trim()).filter((range) => range !== '')
  for (const value of ranges) {
    try {
      addressMatcher([value])
    } catch {
      throw unusable(
        { value, source },
        'IP addresses or ranges, such as 127.0.0.1, 10.0.0.0/8 or 2001:db8::/32',
      )
    }
  }
  return ranges
}

/** @throws HallpassError naming the flag or variable that cannot be used */
function readObservingOptions(
  flags: ServeFlags,
  environment: Environment,
  file: HallpassConfig,
): ObservingOptions {
  const port = pick(flags.metricsPort, '--metrics-port', environment, 'HALLPASS_METRICS_PORT')
  if (port && (!/^\d{1,5}$/.test(port.value) || Number(port.value) > 65_535)) {
    throw unusable(port, 'a port number from 0 to 65535')
  }
  const metrics = pick(undefined, '', environment, 'HALLPASS_METRICS')
  if (metrics && !/^[01]$/.test(metrics.value)) throw unusable(metrics, '1 to keep metrics, 0 not to')
  const level = pick(flags.logLevel, '--log-level', environment, 'HALLPASS_LOG_LEVEL')
  const format = pick(flags.logFormat, '--log-format', environment, 'HALLPASS_LOG_FORMAT')
  const listensOn = port ? Number(port.value) : file.metricsPort
  const host = environment.HALLPASS_METRICS_HOST || (file.metricsHost ?? '127.0.0.1')
  return {
    logLevel: oneOf(logLevels, level) ?? file.logLevel ?? 'info',
    logFormat: oneOf(logFormats, format) ?? file.logFormat ?? 'auto',
    metrics:
      listensOn !== undefined ||
      (flags.metrics ?? (metrics ? metrics.value === '1' : (file.metrics ?? false))),
    metricsListener: listensOn === undefined ? undefined : { host, port: listensOn },
  }
}

function oneOf<Value extends string>(values: readonly Value[], given: Given | undefined): Value | undefined {
  if (!given) return undefined
  const found = values.find((value) => value === given.value)
  if (found === undefined) throw unusable(given, values.join(', '))
  return found
}

interface Given {
  readonly value: string
  readonly source: string
}

/** The flag is stronger than the variable; an empty variable counts as unset. */
function pick(
  flag: string | undefined,
  flagName: string,
  environment: Environment,
  name: string,
): Given | undefined {
  if (flag !== undefined) return { value: flag, source: flagName }
  const value = environment[name]
  return value ? { value, source: name } : undefined
}

function unusable({ value, source }: Given, expected: string): HallpassError {
  return new HallpassError('configuration_invalid', `${source} cannot be ${value}`, `give ${expected}`)
}

/** Whether an address leads back here, as far as its words tell. */
function isItself(address: string, own: { readonly host: string; readonly port: number }): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname, port } = new URL(address)
  const there = hostname.replace(/^\[|\]$/g, '')
  const isLocal = (name: string): boolean => /^(?:localhost|127(?:\.\d+){3}|::1|0\.0\.0\.0|::)$/.test(name)
  const samePort = Number(port || (protocol === 'https:' ? 443 : 80)) === own.port
  return samePort && own.port !== 0 && (there === own.host || (isLocal(there) && isLocal(own.host)))
}

function isSiteAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:\/\/[^/?#@]+\/?$/i.test(text)
}
