import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { normalizeRoute, type Route } from '../../src/protocol/route.ts'
import {
  compileScopes,
  createScopeCatalogue,
  type GrantedScope,
  isSelfRevocation,
  type OwnScope,
} from '../../src/protocol/scopes.ts'
import { settingsCatalogue } from '../../src/protocol/settings.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

interface ScopeVector extends Vector {
  readonly granted: readonly GrantedScope[]
  readonly method: string
  readonly rawPath: string
  readonly query: string
  readonly body?: 'unread' | Readonly<Record<string, unknown>>
  readonly expect:
    | { readonly outcome: 'allowed'; readonly scope: string }
    | { readonly outcome: 'refused'; readonly reason: string; readonly needed: string }
}

/** The site owner's scopes that the vectors speak of. */
const ownScopes: readonly OwnScope[] = [
  {
    name: 'billing:invoices',
    label: 'Read invoices',
    description: 'GET /invoices/….',
    routes: [{ methods: ['GET'], paths: ['/invoices/*'] }],
  },
  {
    name: 'billing:charge',
    label: 'Charge a project',
    description: 'POST /charges; can be narrowed to projects.',
    routes: [
      {
        methods: ['POST'],
        paths: ['/charges'],
        params: ['project'],
        aliases: { project: { name: 'project_path', takes: 'last_segment_number' } },
      },
    ],
  },
  {
    name: 'billing:project',
    label: 'Change a project',
    description: 'PUT /projects/ID; can be narrowed to projects.',
    routes: [
      {
        methods: ['PUT'],
        paths: ['/projects/:project', '/p/:id'],
        params: ['project'],
        pathParams: ['project'],
        aliases: { project: { name: 'id' } },
      },
    ],
  },
  {
    name: 'billing:refund',
    label: 'Pay a charge back',
    description: 'PUT /refunds/PROJECT; can be narrowed to projects.',
    routes: [{ methods: ['PUT'], paths: ['/refunds/:project'], params: ['project'] }],
  },
  {
    name: 'billing:files',
    label: 'Read files',
    description: 'GET /files/NAME and the like; can be narrowed to names.',
    routes: [
      {
        methods: ['GET'],
        paths: ['/files/:name', '/files/:name/content', '/pages/:name{[0-9]+}'],
        pathParams: ['name'],
      },
      { methods: ['GET'], paths: ['/feeds/:name'], formats: ['rss'], pathParams: ['name'] },
    ],
  },
]

const catalogue = createScopeCatalogue(ownScopes)

function route(method: string, rawPath: string): Route {
  const normalized = normalizeRoute(method, rawPath)
  assert.equal(normalized.outcome, 'route')
  return normalized.outcome === 'route' ? normalized.route : assert.fail()
}

describe('compileScopes', () => {
  for (const vector of readVectors<ScopeVector>('scope-decisions')) {
    const { id, comment, granted, method, rawPath, query, body, expect } = vector
    test(`${expect.outcome}: ${comment} (${id})`, () => {
      const decide = compileScopes(catalogue, granted)
      const request = { ...route(method, rawPath), query: new URLSearchParams(query), body }
      const decision = decide(request)
      if (decision.outcome === 'allowed') {
        assert.deepEqual(decision, expect)
        return
      }
      assert.equal(expect.outcome, 'refused')
      assert.equal(decision.refusal.reason, 'scope_insufficient')
      assert.equal(decision.refusal.details.needed, expect.outcome === 'refused' && expect.needed)
    })
  }

  test('says in the refusal what was asked for, and what the key has, with its limits', () => {
    const decide = compileScopes(catalogue, [
      { name: 'push', allowedParameters: null },
      { name: 'bookmarks_calendar', allowedParameters: { username: ['bob', 'eve'] } },
    ])
    const decision = decide({ ...route('GET', '/u/ann/bookmarks.ics'), query: new URLSearchParams() })
    assert.equal(decision.outcome, 'refused')
    assert.deepEqual(decision.outcome === 'refused' && decision.refusal.details, {
      method: 'GET',
      path: '/u/ann/bookmarks.ics',
      needed: 'bookmarks_calendar, read, write',
      granted: 'push, bookmarks_calendar (only username bob or eve)',
      outside: '. the request is outside of what it is narrowed to by `username`',
    })
  })

  test('never permits more to a narrowed grant than to the same grant without limits', () => {
    const names = fc.constantFrom(...catalogue.names)
    const values = fc.dictionary(fc.constantFrom('username', 'project', 'id'), fc.array(fc.string()))
    const paths = fc.constantFrom('/u/a/bookmarks.ics', '/charges', '/projects/7', '/p/7', '/notifications')
    const bodies = fc.option(fc.dictionary(fc.string(), fc.anything()), { nil: undefined })
    const methods = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS')
    fc.assert(
      fc.property(names, values, methods, paths, bodies, (name, allowedParameters, method, path, body) => {
        const request = { ...route(method, path), query: new URLSearchParams('project=7'), body }
        const narrowed = compileScopes(catalogue, [{ name, allowedParameters }])(request)
        const free = compileScopes(catalogue, [{ name, allowedParameters: null }])(request)
        if (narrowed.outcome === 'allowed') assert.equal(free.outcome, 'allowed')
      }),
    )
  })
})

describe('createScopeCatalogue', () => {
  test('knows every scope that the default of allow_user_api_key_scopes names', () => {
    const { names } = createScopeCatalogue()
    for (const name of settingsCatalogue.allow_user_api_key_scopes.default) assert.ok(names.includes(name))
    assert.equal(names.length, 9)
  })

  test('adds the owner’s scopes, which mark no write unless they say so', () => {
    assert.deepEqual(
      catalogue.names.slice(9),
      ownScopes.map(({ name }) => name),
    )
    const own = catalogue.find('billing:invoices')
    assert.deepEqual([own?.builtIn, own?.marksWrite], [false, false])
    assert.deepEqual(
      catalogue.all.filter(({ marksWrite }) => marksWrite).map(({ name }) => name),
      ['write'],
    )
    assert.equal(catalogue.find('toString'), undefined)
  })

  test('takes scope names that plugins use', () => {
    const names = [
      'discourse-subscription-server:user_subscription',
      'discourse-events:calendar_events',
      'own',
    ]
    createScopeCatalogue(names.map((name) => ({ name, label: '', description: '', routes: [] })))
  })

  const bad: readonly [guarantee: string, scope: Partial<OwnScope>][] = [
    ['a name that is taken', { name: 'read' }],
    ['an empty name', { name: '' }],
    ['a comma in a name', { name: 'a,b' }],
    ['a space in a name', { name: ' read' }],
    ['a bar in a name', { name: 'a|b' }],
    ['capital letters in a name', { name: 'Read' }],
    ['two colons in a name', { name: 'a:b:c' }],
    ['a colon at the end of a name', { name: 'a:' }],
    ['a name of more than 100 characters', { name: 'a'.repeat(101) }],
    ['a path that is no pattern', { routes: [{ paths: ['a'] }] }],
    ['a method in small letters', { routes: [{ methods: ['get'] }] }],
  ]
  for (const [guarantee, scope] of bad)
    test(`throws a TypeError for ${guarantee}`, () => {
      const own = { name: 'own:scope', label: '', description: '', routes: [], ...scope }
      assert.throws(() => createScopeCatalogue([own]), TypeError)
    })

  test('throws a TypeError for two of the owner’s scopes with one name', () => {
    const own = { name: 'own:scope', label: '', description: '', routes: [] }
    assert.throws(() => createScopeCatalogue([own, own]), TypeError)
  })
})

describe('isSelfRevocation', () => {
  const cases: readonly [method: string, path: string, id: string | undefined, is: boolean][] = [
    ['POST', '/user-api-key/revoke', undefined, true],
    ['POST', '/user-api-key/revoke.json', '12', true],
    ['POST', '/user-api-key/revoke', '13', false],
    ['POST', '/user-api-key/revoke', '012', false],
    ['POST', '/user-api-key/revoke', '12 ', false],
    ['DELETE', '/user-api-key/revoke', undefined, false],
    ['POST', '/user-api-key/undo-revoke', undefined, false],
  ]
  for (const [method, path, id, is] of cases)
    test(`${is ? 'permits' : 'does not permit'} ${method} ${path} with id ${JSON.stringify(id)} to key 12`, () => {
      assert.equal(isSelfRevocation(route(method, path), id, 12), is)
    })
})
