import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ApiKeyScopeDefinition } from '../../src/protocol/api-key-scope-definition.ts'
import {
  type ApiKeyScopeMode,
  compileApiKeyScopes,
  createApiKeyScopeCatalogue,
  type GrantedApiKeyScope,
  isScopesQuestion,
} from '../../src/protocol/api-key-scopes.ts'
import { normalizeRoute, type Route } from '../../src/protocol/route.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

interface DecisionVector extends Vector {
  readonly mode: ApiKeyScopeMode
  readonly granted: readonly GrantedApiKeyScope[]
  readonly method: string
  readonly rawPath: string
  readonly query: string
  readonly body?: 'unread' | Readonly<Record<string, unknown>>
  readonly expect: { readonly outcome: 'allowed' } | { readonly outcome: 'refused'; readonly needed: string }
}

/** The site owner's scopes that the vectors speak of. */
const own: readonly ApiKeyScopeDefinition[] = [
  {
    resource: 'invoices',
    action: 'read',
    routes: [
      { methods: ['GET'], paths: ['/invoices/:invoice'], pathParams: ['invoice'] },
      { methods: ['GET'], paths: ['/invoices/:invoice/:page{[0-9]+}'], pathParams: ['invoice'] },
      { methods: ['GET'], paths: ['/invoices/:year/:invoice'], pathParams: ['invoice'] },
    ],
  },
  {
    resource: 'invoices',
    action: 'void',
    routes: [
      {
        methods: ['DELETE'],
        paths: ['/invoices/:invoice', '/invoices/:invoice/of/:id'],
        params: ['invoice'],
        pathParams: ['invoice'],
        aliases: { invoice: { name: 'id' } },
      },
    ],
  },
]

const catalogue = createApiKeyScopeCatalogue(own)

function route(method: string, rawPath: string): Route {
  const normalized = normalizeRoute(method, rawPath)
  assert.equal(normalized.outcome, 'route')
  return normalized.outcome === 'route' ? normalized.route : assert.fail()
}

describe('compileApiKeyScopes', () => {
  for (const vector of readVectors<DecisionVector>('api-key-scope-decisions')) {
    const { id, comment, mode, granted, method, rawPath, query, body, expect } = vector
    test(`${expect.outcome}: ${comment} (${id})`, () => {
      const decide = compileApiKeyScopes(catalogue, mode, granted)
      const decision = decide({ ...route(method, rawPath), query: new URLSearchParams(query), body })
      if (decision.outcome === 'allowed') return assert.deepEqual(decision, expect)
      const { reason, details } = decision.refusal
      assert.deepEqual([reason, expect.outcome], ['api_key_scope_insufficient', 'refused'])
      assert.equal(details.needed, expect.outcome === 'refused' && expect.needed)
    })
  }

  test('says in the refusal what was asked for, and what the key has, with its limits', () => {
    const decide = compileApiKeyScopes(catalogue, 'granular', [
      { resource: 'tags', action: 'list', allowedParameters: null },
      { resource: 'topics', action: 'read', allowedParameters: { topic_id: ['5', '7'] } },
    ])
    const decision = decide({ ...route('GET', '/t/8.json'), query: new URLSearchParams() })
    assert.deepEqual(decision.outcome === 'refused' && decision.refusal.details, {
      method: 'GET',
      path: '/t/8.json',
      needed: 'topics:read, global:read',
      granted: 'tags:list, topics:read (only topic_id: 5 or 7)',
    })
  })

  test('never permits more to a narrowed grant than to the same grant without limits', () => {
    const scope = fc.constantFrom(...catalogue.all)
    const value = fc.constantFrom('5', '7', 'sam', 'x')
    const paths = fc.constantFrom('/t/5', '/t/5/7', '/t/x/5', '/posts', '/posts/7', '/u/sam', '/invoices/5/7')
    const methods = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE')
    const bodies = fc.option(fc.dictionary(fc.constantFrom('topic_id', 'id'), fc.anything()), {
      nil: undefined,
    })
    fc.assert(
      fc.property(scope, fc.array(value), methods, paths, bodies, (granted, values, method, path, body) => {
        const allowedParameters = Object.fromEntries(granted.parameters.map((name) => [name, values]))
        const { resource, action } = granted
        const request = { ...route(method, path), query: new URLSearchParams('topic_id=7'), body }
        const decide = (limits: Record<string, readonly string[]> | null) =>
          compileApiKeyScopes(catalogue, 'granular', [{ resource, action, allowedParameters: limits }])(
            request,
          )
        if (decide(allowedParameters).outcome === 'allowed') assert.equal(decide(null).outcome, 'allowed')
      }),
    )
  })
})

describe('isScopesQuestion', () => {
  const cases: readonly [method: string, path: string, is: boolean][] = [
    ['GET', '/session/scopes', true],
    ['GET', '/session/scopes.json', true],
    ['HEAD', '/session/scopes', true],
    ['POST', '/session/scopes', false],
    ['GET', '/session/scopes/1', false],
    ['GET', '/Session/scopes', false],
    ['GET', '/session/current', false],
  ]
  for (const [method, path, is] of cases) {
    test(`${method} ${path} is ${is ? 'the' : 'no'} question that every key may ask`, () => {
      assert.equal(isScopesQuestion({ ...route(method, path), query: new URLSearchParams() }), is)
    })
  }
})

describe('createApiKeyScopeCatalogue', () => {
  test('prints what each scope permits, formats and verbs included, and what it can be narrowed by', () => {
    const printed = createApiKeyScopeCatalogue([
      {
        resource: 'reports',
        action: 'fetch_all',
        routes: [
          { methods: ['GET', 'PUT'], paths: ['/reports/:id{[0-9]+}'], pathParams: ['id'] },
          { methods: ['GET'], paths: ['/reports'], formats: ['rss', 'json'], params: ['year', 'id'] },
        ],
      },
    ]).find('reports:fetch_all')
    assert.deepEqual(printed?.urls, [
      '/reports/:id (GET)',
      '/reports/:id (PUT)',
      '/reports.rss (GET)',
      '/reports.json (GET)',
    ])
    assert.deepEqual(printed?.parameters, ['year', 'id'])
    assert.deepEqual(catalogue.find('global:read')?.urls, ['* (get)'])
  })

  test('knows no other scope', () => {
    for (const id of ['topics', 'topics:', ':read', 'about:read', 'toString', 'topics:read:x']) {
      assert.equal(catalogue.find(id), undefined)
    }
  })

  const bad: readonly [guarantee: string, scope: Partial<ApiKeyScopeDefinition>][] = [
    ['a scope that is there already', { resource: 'topics', action: 'read' }],
    ['an empty resource', { resource: '' }],
    ['a colon in a resource', { resource: 'a:b' }],
    ['a capital letter in an action', { action: 'Read' }],
    ['an action of more than 100 characters', { action: 'a'.repeat(101) }],
    ['no route, which would look like a limit and be none', { routes: [] }],
    ['a path that is no pattern', { routes: [{ paths: ['a'] }] }],
    ['a method in small letters', { routes: [{ methods: ['get'] }] }],
  ]
  for (const [guarantee, change] of bad) {
    test(`throws a TypeError for ${guarantee}`, () => {
      const scope = { resource: 'own', action: 'read', routes: [{ methods: ['GET'] }], ...change }
      assert.throws(() => createApiKeyScopeCatalogue([scope]), TypeError)
    })
  }
})
