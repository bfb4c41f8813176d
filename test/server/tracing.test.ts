import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { after, before, describe, test } from 'node:test'
import { type Context, context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { openTracing } from '../../src/server/tracing.ts'
import { createTestSite, type TestSite } from '../test-site.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'

test('without a provider there is nothing that makes spans', async () => {
  assert.equal(await openTracing(), undefined)
})

describe('with a provider', () => {
  const exporter = new InMemorySpanExporter()
  let site: TestSite

  before(async () => {
    const current = new AsyncLocalStorage<Context>()
    context.setGlobalContextManager({
      active: () => current.getStore() ?? ROOT_CONTEXT,
      with: (active, work, self, ...rest) => current.run(active, () => work.apply(self as never, rest)),
      bind: (_context, target) => target,
      enable() {
        return this
      },
      disable() {
        return this
      },
    })
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    )
    site = await createTestSite()
  })
  after(async () => {
    await site.close()
    trace.disable()
    context.disable()
  })

  test('a request is a span in its caller’s trace, and its transaction one below it', async () => {
    exporter.reset()
    const headers = { traceparent: `00-${traceId}-${parentId}-01` }
    const answer = await site.asAdmin('/admin/api/keys.json', {
      json: { key: { description: 'x' } },
      headers,
    })
    assert.equal(answer.status, 200)
    const spans = exporter.getFinishedSpans()
    const request = spans.find(({ name }) => name === 'POST admin/api/create')
    const transaction = spans.find(({ name }) => name === 'hallpass transaction')
    assert.ok(request && transaction, spans.map(({ name }) => name).join(', '))
    assert.equal(request.spanContext().traceId, traceId)
    assert.equal(request.parentSpanContext?.spanId, parentId)
    assert.equal(transaction.parentSpanContext?.spanId, request.spanContext().spanId)
    assert.equal((await site.store.audit.last())?.traceId, traceId)
  })

  test('a refusal’s id is that of its span, and its reason stands there', async () => {
    exporter.reset()
    const answer = await site.request('/session/current.json')
    const [span] = exporter.getFinishedSpans()
    assert.ok(span)
    assert.equal((await answer.json()).trace_id, span.spanContext().traceId)
    assert.equal(span.attributes['hallpass.reason'], 'nobody_signed_in')
  })

  test('a run of a job is a span', async () => {
    exporter.reset()
    const [job] = await site.hallpass.jobs.list()
    await site.hallpass.jobs.run(job?.name ?? '')
    const names = exporter.getFinishedSpans().map(({ name }) => name)
    assert.ok(names.includes(`hallpass job ${job?.name}`), names.join(', '))
  })
})
