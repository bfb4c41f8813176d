import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { checkConfig } from '../../../src/cli/check-config.ts'
import { readOpenApi } from '../../../src/cli/scopes/openapi-document.ts'
import { translatePath } from '../../../src/cli/scopes/path-template.ts'
import { proposeScopes } from '../../../src/cli/scopes/propose.ts'
import { HallpassError } from '../../../src/protocol/errors.ts'

const shop = `
openapi: 3.1.0
info: { title: The Shop API v2, version: '1' }
servers: [{ url: 'https://{host}.example.com/v1/', variables: { host: { default: api } } }]
paths:
  /invoices:
    parameters: [{ $ref: '#/components/parameters/Customer' }]
    get: { tags: [Invoices], summary: List invoices. }
    post: { tags: [Invoices], summary: Make an invoice }
  /invoices/{invoiceId}:
    parameters: [{ name: invoiceId, in: path, required: true, schema: { $ref: '#/components/schemas/Id' } }]
    get: { tags: [Invoices], summary: Read an invoice }
    delete: { tags: [Invoices], summary: Delete an invoice }
  /health:
    servers: [{ url: / }]
    get: {}
components:
  parameters: { Customer: { name: customerId, in: query } }
  schemas: { Id: { type: integer } }
`

describe('proposeScopes', () => {
  test('makes of each tag a scope that reads and one that writes', () => {
    assert.deepEqual(proposeScopes(readOpenApi(shop)), {
      warnings: [],
      scopes: [
        {
          name: 'shop:invoices_read',
          label: 'Read invoices',
          description: 'List invoices; Read an invoice.',
          routes: [
            { methods: ['GET'], paths: ['/v1/invoices'], params: ['customerId'] },
            { methods: ['GET'], paths: ['/v1/invoices/:invoice_id{[0-9]+}'], pathParams: ['invoice_id'] },
          ],
        },
        {
          name: 'shop:invoices_write',
          label: 'Create and delete invoices',
          description: 'Make an invoice; Delete an invoice.',
          routes: [
            { methods: ['POST'], paths: ['/v1/invoices'] },
            { methods: ['DELETE'], paths: ['/v1/invoices/:invoice_id{[0-9]+}'], pathParams: ['invoice_id'] },
          ],
        },
        {
          name: 'shop:health_read',
          label: 'Read health',
          description: 'GET /health.',
          routes: [{ methods: ['GET'], paths: ['/health'] }],
        },
      ],
    })
  })

  test('reads the same from JSON', () => {
    const json = JSON.stringify({ openapi: '3.0.3', info: { title: 'x' }, paths: { '/a': { get: {} } } })
    assert.deepEqual(
      proposeScopes(readOpenApi(json), 'app').scopes.map(({ name }) => name),
      ['app:a_read'],
    )
  })

  const warned: readonly [what: string, paths: Record<string, unknown>, warning: RegExp][] = [
    ['another document', { '/a': { $ref: 'b.yaml#/a' } }, /b\.yaml#\/a is in another document/],
    ['a circle of references', { '/a': { $ref: '#/paths/~1a' } }, /refers to itself/],
    ['a reference to nothing', { '/a': { $ref: '#/components/x' } }, /there is nothing at/],
    ['a dot segment', { '/a/../b': { get: {} } }, /is left out: .* holds the segment/],
    ['a part of a segment', { '/f/{a}-{b}': { get: {} } }, /\{a\}-\{b\} became a parameter/],
    ['far too many segments', { [`/${'{a}/'.repeat(9999)}b`]: { get: {} } }, /more than 50 segments/],
  ]
  for (const [what, paths, warning] of warned) {
    test(`warns of ${what}`, () => {
      const { warnings } = proposeScopes(readOpenApi(JSON.stringify({ openapi: '3.1.0', paths })))
      assert.match(warnings.join('\n'), warning)
    })
  }
})

describe('translatePath', () => {
  const cases: readonly [template: string, pattern: string, format?: string][] = [
    ['/', '/'],
    ['/a/', '/a'],
    ['/a/{userId}/b', '/a/:user_id/b'],
    ['/a/{id}/{id}', '/a/:id/:id_2'],
    ['/a/{id}.json', '/a/:id', 'json'],
    ['/a/b.csv', '/a/b.csv'],
    ['/a/{rest+}', '/a/*'],
    ['/a/{Ünï}', '/a/:n'],
    ['/a/{1}', '/a/:part'],
    ['/a%20b', '/a b'],
  ]
  for (const [template, pattern, format] of cases) {
    test(`${template} is ${pattern}${format === undefined ? '' : ` as ${format}`}`, () => {
      const translated = translatePath(template, [])
      assert.ok(typeof translated === 'object')
      assert.deepEqual([translated.pattern, translated.format], [pattern, format])
    })
  }
})

describe('readOpenApi', () => {
  for (const [what, text] of [
    ['nothing', ''],
    ['text', 'hello'],
    ['Swagger 2', 'swagger: "2.0"\npaths: {}'],
    ['a document without paths', 'openapi: 3.1.0'],
    ['broken JSON', '{"openapi": '],
    ['broken YAML', 'openapi: 3.1.0\npaths: {a: [}'],
    [
      'a bomb of aliases',
      `a: &a [x, x]\n${Array.from({ length: 30 }, (_, n) => `b${n}: &b${n} [*${n === 0 ? 'a' : `b${n - 1}`}, *${n === 0 ? 'a' : `b${n - 1}`}]`).join('\n')}`,
    ],
    ['a deep nest', '['.repeat(200_000)],
    ['a deep nest in JSON', `{"a":${'['.repeat(200_000)}`],
  ] as const) {
    test(`refuses ${what}`, () => {
      assert.throws(() => readOpenApi(text), { reason: 'openapi_unreadable' })
    })
  }

  // Documents come from other people. A command that crashes on one says nothing about it.
  test('makes scopes that a config file takes, or refuses, of whatever there is', () => {
    const name = fc.oneof(
      fc.constantFrom('get', 'post', 'parameters', 'tags', 'servers', '$ref', 'name', 'in'),
      fc.string(),
    )
    const value = fc.jsonValue({ maxDepth: 4 })
    const reference = fc.constantFrom(
      { $ref: '#/paths' },
      { $ref: '#/' },
      { $ref: '#/paths/~1a' },
      { $ref: '#/%E0' },
    )
    const operation = fc.dictionary(name, fc.oneof(value, reference))
    const item = fc.dictionary(name, fc.oneof(value, reference, operation))
    const template = fc.oneof(
      fc.constant('/a'),
      fc.string({ unit: 'grapheme' }).map((text) => `/${text}`),
      fc
        .array(fc.constantFrom('{a}', '{', '}', '/', '.json', '..', '%2f', ':x', '*', '{b+}'))
        .map((all) => `/${all.join('')}`),
    )
    const document = fc.record({
      openapi: fc.constant('3.1.0'),
      info: fc.oneof(value, fc.record({ title: fc.string({ unit: 'binary' }) })),
      servers: fc.oneof(value, fc.array(fc.record({ url: fc.webUrl() }))),
      paths: fc.dictionary(template, fc.oneof(item, reference, value)),
    })
    fc.assert(
      fc.property(document, (one) => {
        const { scopes } = proposeScopes(readOpenApi(JSON.stringify(one)))
        assert.deepEqual(checkConfig({ scopes }).problems, [])
      }),
    )
  })

  test('refuses any other text in one way', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('', 'openapi: 3.1.0\n', '{"openapi":'),
        (text, head) => {
          try {
            readOpenApi(head + text)
          } catch (error) {
            assert.ok(error instanceof HallpassError, String(error))
          }
        },
      ),
    )
  })
})
