import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { describeNarrowing, narrowedLabel, readableValue } from '../../src/protocol/narrowing-text.ts'
import { normalizeRoute } from '../../src/protocol/route.ts'
import type { RequestedRoute } from '../../src/protocol/route-matcher.ts'
import {
  checkScopeParameters,
  grantsOf,
  restrictableParameters,
  type ScopeParameters,
  serializeScopeParameters,
} from '../../src/protocol/scope-parameters.ts'
import { compileScopes, createScopeCatalogue } from '../../src/protocol/scopes.ts'
import { ordersScope } from '../narrowed-shop.ts'
import { readVectors, type Vector } from '../vectors/read-vectors.ts'

interface NarrowingVector extends Vector {
  readonly scopes: readonly string[]
  readonly text: string
  readonly expect:
    | { readonly outcome: 'accepted'; readonly value?: ScopeParameters }
    | {
        readonly outcome: 'refused'
        readonly reason: string
        readonly details?: Readonly<Record<string, string>>
      }
}

const catalogue = createScopeCatalogue([ordersScope])

describe('checkScopeParameters', () => {
  for (const { id, comment, scopes, text, expect } of readVectors<NarrowingVector>('scope-parameters')) {
    test(`${expect.outcome}: ${comment} (${id})`, () => {
      const checked = checkScopeParameters(text, { scopes, catalogue })
      if (expect.outcome === 'accepted') {
        assert.deepEqual(checked, { outcome: 'accepted', value: expect.value })
        return
      }
      if (checked.outcome === 'accepted') return assert.fail('it was accepted')
      const { reason, status, details, remedy } = checked.refusal
      assert.deepEqual([reason, status], [expect.reason, 400])
      assert.match(remedy, /what may be narrowed of this request: ./)
      for (const [name, value] of Object.entries(expect.details ?? {})) assert.equal(details[name], value)
    })
  }

  test('takes a request without it for one that narrows nothing', () => {
    const checked = checkScopeParameters(undefined, { scopes: ['read'], catalogue })
    assert.deepEqual(checked, { outcome: 'accepted', value: undefined })
    assert.deepEqual(grantsOf(['read'], undefined), [{ name: 'read', allowedParameters: null }])
  })

  test('answers with what it was told, for any text at all', () => {
    const names = fc.constantFrom('shop:orders', 'read', 'bookmarks_calendar', '__proto__', 'toString')
    const parameters = fc.constantFrom('customer_id', 'username', 'shop', '__proto__')
    const values = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('12'))
    const lists = fc.dictionary(parameters, fc.array(values))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.dictionary(names, lists).map((one) => JSON.stringify(one)),
        ),
        (text) => {
          const checked = checkScopeParameters(text, { scopes: ['shop:orders', 'read'], catalogue })
          if (checked.outcome === 'refused' || checked.value === undefined) return
          for (const [scope, allowed] of Object.entries(checked.value)) {
            assert.equal(scope, 'shop:orders')
            for (const [parameter, list] of Object.entries(allowed)) {
              assert.ok(restrictableParameters(catalogue, scope).includes(parameter))
              assert.ok(list.length > 0)
            }
          }
          // What is stored, sent again, is the same.
          const again = checkScopeParameters(serializeScopeParameters(checked.value), {
            scopes: ['shop:orders'],
            catalogue,
          })
          assert.deepEqual(again, checked)
        },
      ),
      { numRuns: 500 },
    )
  })
})

/** What a shop would answer with that reads its parameters as `parser` does: the customers it looks up. */
const parsers: readonly ((request: RequestedRoute) => readonly unknown[])[] = [
  // The first, the last, or all of a name, query before body or behind it.
  (request) => [...all(request, 'query'), ...all(request, 'body')].slice(0, 1),
  (request) => [...all(request, 'query'), ...all(request, 'body')].slice(-1),
  (request) => [...all(request, 'body'), ...all(request, 'query')].slice(0, 1),
  (request) => [...all(request, 'query'), ...all(request, 'body')],
  // Rails and PHP: `customer_id[]` and `customer_id[x]` are values of `customer_id`.
  (request) => [...all(request, 'query', true), ...all(request, 'body', true)].slice(-1),
  (request) => [...all(request, 'query', true), ...all(request, 'body', true)],
]

/** A name as the laxest reader has it: what is behind NUL or a bracket is cut off, dots and spaces are underscores. */
function plainName(name: string): string {
  return (/^ *([^[\0]*)/.exec(name)?.[1] ?? '').replace(/[. ]/g, '_')
}

function all({ query, body }: RequestedRoute, where: 'query' | 'body', brackets = false): readonly unknown[] {
  const entries: readonly (readonly [string, unknown])[] =
    where === 'query' ? [...query] : body instanceof URLSearchParams ? [...body] : Object.entries(body ?? {})
  return entries
    .filter(([name]) => name === 'customer_id' || (brackets && plainName(name) === 'customer_id'))
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
}

const bracketed = ['customer_id[]', 'customer_id[0]', 'customer_id[a][b]']
/** What PHP reads as `customer_id`. */
const lenient = ['customer.id', 'customer id', ' customer_id', 'customer_id\u0000x', 'customer.id[]']
const own = '12'
const foreign = fc.constantFrom('13', '120', ' 12', '12 ', '012', '1 2', '12,13', '12\u0000', '١٢', '')

// An attacker with a key for customer 12 would otherwise read the orders of customer 13.
describe('a narrowed key', () => {
  // Mostly what is allowed, so that what is not stands beside it more often than alone.
  const name = fc.oneof(
    { weight: 4, arbitrary: fc.constant('customer_id') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...bracketed, ...lenient, 'other'),
    },
  )
  const value = fc.oneof({ weight: 4, arbitrary: fc.constant(own) }, { weight: 1, arbitrary: foreign })
  const pair = fc.tuple(name, value)
  const encoded = (text: string, everything: boolean): string =>
    everything
      ? Array.from(new TextEncoder().encode(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(
          '',
        )
      : encodeURIComponent(text)
  const formText = fc
    .array(fc.tuple(pair, fc.boolean()), { maxLength: 4 })
    .map((pairs) =>
      pairs.map(([[key, one], whole]) => `${encoded(key, whole)}=${encoded(one, whole)}`).join('&'),
    )
  const jsonValue = fc.oneof(
    value,
    fc.array(value, { maxLength: 2 }),
    fc.record({ id: value }),
    fc.constantFrom(12, 13, null, true),
  )
  const body = fc.option(
    fc.oneof(
      formText.map((text) => new URLSearchParams(text)),
      fc.dictionary(name, jsonValue),
    ),
    { nil: undefined },
  )

  test('never reaches another value, whatever the request repeats, encodes, or puts in brackets or the body', () => {
    const granted = grantsOf(['shop:orders'], { 'shop:orders': { customer_id: [own] } })
    const decide = compileScopes(catalogue, granted)
    let allowed = 0
    fc.assert(
      fc.property(formText, body, fc.constantFrom('GET', 'POST', 'HEAD'), (query, sent, method) => {
        const route = normalizeRoute(method, '/orders')
        if (route.outcome !== 'route') return assert.fail()
        const request = { ...route.route, query: new URLSearchParams(query), body: sent }
        if (decide(request).outcome !== 'allowed') return
        allowed += 1
        for (const parse of parsers) {
          for (const reached of parse(request)) assert.equal(reached, own)
        }
      }),
      { numRuns: 1500 },
    )
    assert.ok(allowed > 20, `only ${allowed} requests were allowed, so that little was tried`)
  })

  test('never reaches another value of the path, in whatever spelling', () => {
    const decide = compileScopes(catalogue, grantsOf(['shop:orders'], { 'shop:orders': { shop: ['books'] } }))
    const spelling = fc.constantFrom(
      'books',
      'Books',
      'books%20',
      'b%6foks',
      'books%00',
      'shoes',
      'books;x',
      '*',
    )
    const queries = fc.constantFrom('', 'shop=books', 'shop[]=books', 'shop=shoes')
    fc.assert(
      fc.property(spelling, queries, (shop, query) => {
        const route = normalizeRoute('GET', `/shops/${shop}/orders`)
        if (route.outcome !== 'route') return
        const request = { ...route.route, query: new URLSearchParams(query) }
        const isOwn = route.route.path === '/shops/books/orders'
        assert.equal(decide(request).outcome, isOwn ? 'allowed' : 'refused')
      }),
    )
  })

  test('has no route on which its parameter does not stand', () => {
    const decide = compileScopes(
      catalogue,
      grantsOf(['shop:orders'], { 'shop:orders': { customer_id: [own] } }),
    )
    const route = normalizeRoute('GET', '/orders/summary')
    if (route.outcome !== 'route') return assert.fail()
    const decision = decide({ ...route.route, query: new URLSearchParams('customer_id=12') })
    if (decision.outcome !== 'refused') return assert.fail('it was allowed')
    assert.match(decision.refusal.message, /outside of what it is narrowed to by `customer_id`/)
    assert.deepEqual(decision.refusal.scopes, {
      needed: ['shop:orders', 'read', 'write'],
      granted: ['shop:orders'],
      narrowed: [{ name: 'shop:orders', allowed_parameters: { customer_id: ['12'] } }],
    })
  })

  test('permits nothing once the site no longer has the parameter', () => {
    const without = createScopeCatalogue([
      { ...ordersScope, routes: [{ methods: ['GET'], paths: ['/orders'] }] },
    ])
    const decide = compileScopes(
      without,
      grantsOf(['shop:orders'], { 'shop:orders': { customer_id: [own] } }),
    )
    const route = normalizeRoute('GET', '/orders')
    if (route.outcome !== 'route') return assert.fail()
    assert.equal(decide({ ...route.route, query: new URLSearchParams('customer_id=12') }).outcome, 'refused')
  })

  test('is told in its refusal which parameter is outside, and of two only that one', () => {
    const decide = compileScopes(
      catalogue,
      grantsOf(['shop:orders'], { 'shop:orders': { customer_id: ['12', '13'], state: ['open'] } }),
    )
    const route = normalizeRoute('GET', '/orders')
    if (route.outcome !== 'route') return assert.fail()
    const decision = decide({ ...route.route, query: new URLSearchParams('customer_id=14&state=open') })
    if (decision.outcome !== 'refused') return assert.fail('it was allowed')
    assert.match(
      decision.refusal.message,
      /shop:orders \(only customer_id 12 or 13, and state open\)\. the request is outside of what it is narrowed to by `customer_id`$/,
    )
  })
})

describe('describeNarrowing', () => {
  test('says nothing of what is not narrowed', () => {
    assert.equal(describeNarrowing(null), undefined)
    assert.equal(describeNarrowing({ id: [] }), undefined)
    assert.equal(narrowedLabel('See your orders', null), 'See your orders')
  })

  test('names parameters and values as a sentence does', () => {
    assert.equal(narrowedLabel('See', { id: ['1', '2', '3'] }), 'See · only id 1, 2 or 3')
    assert.equal(describeNarrowing({ id: ['1', '2'], state: ['open'] }), 'only id 1 or 2, and state open')
  })

  test('counts what there is no room for, and leaves out no single value', () => {
    const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`)
    assert.equal(describeNarrowing({ id: many(6) }), 'only id 0, 1, 2, 3, 4 or 5')
    assert.equal(describeNarrowing({ id: many(50) }), 'only id 0, 1, 2, 3, 4 or 45 others')
  })
})

// A value that reads like two, or like the page itself, would have a user agree to something else.
describe('readableValue', () => {
  const cases: readonly [value: string, readable: string][] = [
    ['12', '12'],
    ['sam@example.com', 'sam@example.com'],
    ['Zoë', 'Zoë'],
    ['12 or 13', '“12 or 13”'],
    ['12, 13', '“12, 13”'],
    ['1” or “2', '“1’ or ’2”'],
    ['a\u202Eb', '“a[U+202E]b”'],
    ['1\u200B2', '“1[U+200B]2”'],
    ['1\u00A02', '“1[U+00A0]2”'],
    [' 1', '“ 1”'],
    ['x'.repeat(41), `${'x'.repeat(39)}…`],
    [`a${'\u0301'.repeat(30)}`, `“a${'\u0301'.repeat(4)}”`],
  ]
  for (const [value, readable] of cases) {
    test(`shows ${JSON.stringify(value)} as ${JSON.stringify(readable)}`, () => {
      assert.equal(readableValue(value), readable)
    })
  }
})
