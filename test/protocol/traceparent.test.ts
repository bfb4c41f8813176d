import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readTraceParent, traceParentHeader } from '../../src/protocol/traceparent.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'

describe('readTraceParent', () => {
  test('reads what Trace Context gives as an example', () => {
    const header = `00-${traceId}-${parentId}-01`
    assert.deepEqual(readTraceParent(header), { traceId, parentId, flags: 1 })
    assert.equal(traceParentHeader({ traceId, parentId, flags: 1 }), header)
  })

  test('reads a version to come, whatever it has at its end', () => {
    assert.equal(readTraceParent(`cc-${traceId}-${parentId}-01-what-the-future-holds`)?.traceId, traceId)
  })

  const malformed = {
    nothing: '',
    'version ff': `ff-${traceId}-${parentId}-01`,
    'a fifth part in version 00': `00-${traceId}-${parentId}-01-x`,
    'something behind the flags': `cc-${traceId}-${parentId}-01x`,
    'capital letters': `00-${traceId.toUpperCase()}-${parentId}-01`,
    'a trace id of zeros': `00-${'0'.repeat(32)}-${parentId}-01`,
    'a parent id of zeros': `00-${traceId}-${'0'.repeat(16)}-01`,
    'a short trace id': `00-${traceId.slice(1)}-${parentId}-01`,
    'a line feed at the end': `00-${traceId}-${parentId}-01\n`,
    'two headers in one': `00-${traceId}-${parentId}-01, 00-${traceId}-${parentId}-01`,
    'more than anybody needs': `cc-${traceId}-${parentId}-01-${'x'.repeat(300)}`,
  }
  for (const [what, header] of Object.entries(malformed)) {
    test(`takes ${what} for no trace`, () => assert.equal(readTraceParent(header), undefined))
  }
})
