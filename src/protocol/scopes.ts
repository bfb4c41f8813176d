/** The catalogue of user API key scopes, and the decision whether a key's scopes permit a request (protocol §10.4). */
import { type Refusal, refusal } from './errors.ts'
import { describeNarrowing } from './narrowing-text.ts'
import type { Route } from './route.ts'
import {
  type CompiledMatcher,
  compileMatcher,
  matchRoute,
  type RequestedRoute,
  type RouteMatcher,
} from './route-matcher.ts'
import { isNarrowedBy, narrowedScopes, narrowingOf } from './scope-parameters.ts'

/** A scope that an app may ask a user for. */
export interface ScopeDefinition {
  /** The name on the wire. A site owner's own scope is best named `<application>:<scope>`. */
  readonly name: string
  /** What an app with the scope may do, in the plain words of the consent page. */
  readonly label: string
  /** The same for developers: one sentence, with the limits. */
  readonly description: string
  /** What the scope permits; empty for a scope that permits nothing by itself. */
  readonly routes: readonly RouteMatcher[]
  /** Whether it is one of the protocol's own. */
  readonly builtIn: boolean
  /** Whether the consent page warns that the app can change the user's things at will. */
  readonly marksWrite: boolean
}

/** A scope that a site owner adds for their own routes. `marksWrite` is false by default. */
export type OwnScope = Omit<ScopeDefinition, 'builtIn' | 'marksWrite'> & { readonly marksWrite?: boolean }

/** A scope on a key, with the parameter values it is narrowed to; null when it is not narrowed. */
export interface GrantedScope {
  readonly name: string
  readonly allowedParameters: Readonly<Record<string, readonly string[]>> | null
}

/** Every scope that a site knows, the protocol's own first. */
export interface ScopeCatalogue {
  readonly all: readonly ScopeDefinition[]
  readonly names: readonly string[]
  find(name: string): ScopeDefinition | undefined
  /** The scope's routes, ready for matching; empty for a scope that the catalogue does not hold. */
  routesOf(name: string): readonly CompiledMatcher[]
}

/** The answer to «do this key's scopes permit this request?»; `scope` is the first granted one that does. */
export type ScopeDecision =
  | { readonly outcome: 'allowed'; readonly scope: string }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/**
 * The protocol's scopes, `without` those that the site cannot honour, and the site owner's own.
 *
 * @throws TypeError for a name that is taken or cannot travel in a comma-separated list, and for a pattern that is not
 * well-formed
 */
export function createScopeCatalogue(
  extra: readonly OwnScope[] = [],
  without: readonly string[] = [],
): ScopeCatalogue {
  const own = extra.map((scope) => ({ marksWrite: false, ...scope, builtIn: false }))
  const byName = new Map<string, { scope: ScopeDefinition; routes: readonly CompiledMatcher[] }>()
  for (const scope of [...builtInScopes.filter(({ name }) => !without.includes(name)), ...own]) {
    if (!isScopeName(scope.name)) {
      throw new TypeError(
        `the scope name ${JSON.stringify(scope.name)} must be lower-case letters, digits, _ and -, optionally two such parts with a colon between, 100 characters at most`,
      )
    }
    if (byName.has(scope.name)) throw new TypeError(`there is already a scope named ${scope.name}`)
    const suffixes = scope.builtIn ? 'format' : 'name'
    byName.set(scope.name, { scope, routes: scope.routes.map((route) => compileMatcher(route, suffixes)) })
  }
  return {
    all: [...byName.values()].map(({ scope }) => scope),
    names: [...byName.keys()],
    find: (name) => byName.get(name)?.scope,
    routesOf: (name) => byName.get(name)?.routes ?? [],
  }
}

/**
 * Makes the scopes of one key ready to decide about its requests. Scopes that the catalogue does not hold permit
 * nothing, and a route that lacks a parameter that a grant is narrowed by is closed to that grant: no value of the request
 * could be held against it. Reason: `scope_insufficient`. The key's right to revoke itself is not a scope: see {@link isSelfRevocation}.
 */
export function compileScopes(
  catalogue: ScopeCatalogue,
  granted: readonly GrantedScope[],
): (request: RequestedRoute) => ScopeDecision {
  const compiled = granted.map((scope) => ({ ...scope, routes: routesOfGrant(catalogue, scope) }))
  return (request) => {
    const permitting = compiled.find(({ routes, allowedParameters }) =>
      routes.some((route) => matchRoute(route, request, allowedParameters)),
    )
    return permitting
      ? { outcome: 'allowed', scope: permitting.name }
      : { outcome: 'refused', refusal: insufficient(catalogue, granted, request) }
  }
}

/**
 * Whether a request is a key's revocation of itself, which a key of any scope may do (protocol §8.2): POST
 * /user-api-key/revoke that names no key, or its own. `requestedId` is the request's parameter `id`, undefined when
 * missing or blank.
 */
export function isSelfRevocation(route: Route, requestedId: string | undefined, ownKeyId: number): boolean {
  return (
    route.method === 'POST' &&
    route.path === '/user-api-key/revoke' &&
    (requestedId === undefined || requestedId === String(ownKeyId))
  )
}

const messageBusPoll: RouteMatcher = { methods: ['POST'], paths: ['/message-bus/*/poll'] }

const builtInScopes: readonly ScopeDefinition[] = [
  {
    name: 'read',
    label: 'Read everything that you can read',
    description: 'GET of every route.',
    routes: [{ methods: ['GET'] }],
    builtIn: true,
    marksWrite: false,
  },
  {
    name: 'write',
    label: 'Read everything, and post, edit and delete in your name',
    description: 'GET, POST, PATCH, PUT and DELETE of every route; includes read.',
    routes: [{ methods: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'] }],
    builtIn: true,
    marksWrite: true,
  },
  {
    name: 'message_bus',
    label: 'Receive live updates',
    description: 'POST /message-bus/ID/poll.',
    routes: [messageBusPoll],
    builtIn: true,
    marksWrite: false,
  },
  {
    name: 'push',
    label: 'Send your notifications to the app’s own service',
    description:
      'Permits no route; notifications are pushed to the key’s push_url, when the site allows that address.',
    routes: [],
    builtIn: true,
    marksWrite: false,
  },
  {
    name: 'notifications',
    label: 'Read your notifications and mark them as read',
    description:
      'GET /notifications and /notifications/totals, PUT /notifications/mark-read and /notifications/read, POST /message-bus/ID/poll; counts for push as well.',
    routes: [
      messageBusPoll,
      { methods: ['GET'], paths: ['/notifications', '/notifications/totals'] },
      { methods: ['PUT'], paths: ['/notifications/mark-read', '/notifications/read'] },
    ],
    builtIn: true,
    marksWrite: false,
  },
  {
    name: 'session_info',
    label: 'See who you are',
    description: 'GET /session/current and /u/USERNAME/topic-tracking-state.',
    routes: [
      {
        methods: ['GET'],
        paths: [
          '/session/current',
          '/u/:username/topic-tracking-state',
          '/users/:username/topic-tracking-state',
        ],
      },
    ],
    builtIn: true,
    marksWrite: false,
  },
  {
    name: 'one_time_password',
    label: 'Sign you in once, with a one-time password',
    description:
      'Permits no route; the answer to an approval carries a one-time password beside the payload.',
    routes: [],
    builtIn: true,
    marksWrite: false,
  },
  {
    name: 'bookmarks_calendar',
    label: 'Read the reminders of your bookmarks',
    description: 'GET /u/USERNAME/bookmarks.ics; can be narrowed to usernames.',
    routes: [
      {
        methods: ['GET'],
        paths: ['/u/:username/bookmarks', '/users/:username/bookmarks'],
        formats: ['ics'],
        pathParams: ['username'],
      },
    ],
    builtIn: true,
    marksWrite: false,
  },
  {
    name: 'user_status',
    label: 'Read, set and clear your status',
    description: 'GET, PUT and DELETE /user-status.',
    routes: [{ methods: ['GET', 'PUT', 'DELETE'], paths: ['/user-status'] }],
    builtIn: true,
    marksWrite: false,
  },
]

/** A comma, a space or a `|` would break the lists that names travel in. 100 is what the protocol stores (§15). */
function isScopeName(name: string): boolean {
  return name.length <= 100 && /^[a-z0-9][a-z0-9_-]*(?::[a-z0-9][a-z0-9_-]*)?$/.test(name)
}

function routesOfGrant(catalogue: ScopeCatalogue, grant: GrantedScope): readonly CompiledMatcher[] {
  const routes = catalogue.routesOf(grant.name)
  const parameters = narrowingOf(grant.allowedParameters).map(([parameter]) => parameter)
  return parameters.length === 0 ? routes : routes.filter(({ matcher }) => isNarrowedBy(matcher, parameters))
}

function insufficient(
  catalogue: ScopeCatalogue,
  granted: readonly GrantedScope[],
  request: RequestedRoute,
): Refusal {
  const permitting = catalogue.all.filter(({ name }) =>
    catalogue.routesOf(name).some((route) => matchRoute(route, request, null)),
  )
  // The narrowest first, because that is the one to ask for.
  const broad = permitting.filter(({ routes }) => routes.some((route) => route.paths === undefined))
  const narrow = permitting.filter((scope) => !broad.includes(scope))
  const needed = [...narrow, ...broad].map(({ name }) => name)
  const why = refusal('scope_insufficient', {
    method: request.method,
    path: request.format === undefined ? request.path : `${request.path}.${request.format}`,
    needed: needed.join(', ') || 'none, for no scope permits it',
    granted: granted.map(describeGrant).join(', ') || 'none',
    outside: describeOutside(catalogue, granted, request),
  })
  return {
    ...why,
    scopes: { needed, granted: granted.map(({ name }) => name), narrowed: narrowedScopes(granted) },
  }
}

/** The parameters by which the request is outside of a grant that would permit it otherwise. */
function describeOutside(
  catalogue: ScopeCatalogue,
  granted: readonly GrantedScope[],
  request: RequestedRoute,
): string {
  const outside = granted.flatMap((grant) => {
    const fitting = catalogue.routesOf(grant.name).filter((route) => matchRoute(route, request, null))
    if (fitting.length === 0) return []
    return narrowingOf(grant.allowedParameters).flatMap(([parameter, values]) =>
      fitting.some(
        (route) =>
          isNarrowedBy(route.matcher, [parameter]) && matchRoute(route, request, { [parameter]: values }),
      )
        ? []
        : [`\`${parameter}\``],
    )
  })
  return outside.length === 0
    ? ''
    : `. the request is outside of what it is narrowed to by ${[...new Set(outside)].join(', ')}`
}

function describeGrant({ name, allowedParameters }: GrantedScope): string {
  const narrowing = describeNarrowing(allowedParameters, { values: 20 })
  return narrowing === undefined ? name : `${name} (${narrowing})`
}
