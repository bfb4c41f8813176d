/**
 * Spans for OpenTelemetry, where the process has its API and has registered a provider before Hallpass was opened, as with
 * `node --import ./tracing.js`. Otherwise nothing is made, and nothing costs anything.
 */
import type { Span, SpanKind, Tracer } from '@opentelemetry/api'
import { traceOf } from '../domain/trace.ts'
import type { Tracing } from '../domain/tracing.ts'

/** What makes spans; undefined where nobody would record them. */
export async function openTracing(): Promise<Tracing | undefined> {
  const api = await import('@opentelemetry/api').catch(() => undefined)
  if (!api) return undefined
  const provider = api.trace.getTracerProvider()
  // The API's own provider hands on to the registered one, and is all there is where none was.
  const isProxy = provider instanceof api.ProxyTracerProvider
  const tracer = isProxy ? provider.getDelegateTracer('hallpass') : provider.getTracer('hallpass')
  return tracer && tracingWith(api, tracer)
}

function tracingWith(api: typeof import('@opentelemetry/api'), tracer: Tracer): Tracing {
  async function within<T>(span: Span, work: () => Promise<T>, end: (result: T) => void): Promise<T> {
    try {
      const result = await api.context.with(api.trace.setSpan(api.context.active(), span), work)
      end(result)
      return result
    } catch (error) {
      // Not its words, which may quote what was asked for.
      span.setAttribute('error.type', error instanceof Error ? error.name : typeof error)
      span.setStatus({ code: api.SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  }

  return {
    request(request, work) {
      const getter = {
        keys: () => ['traceparent', 'tracestate'],
        get: (carrier: Request, name: string) => carrier.headers.get(name) ?? undefined,
      }
      const parent = api.propagation.extract(api.context.active(), request, getter)
      const trace = traceOf(request)
      const kind: SpanKind = api.SpanKind.SERVER
      const attributes = { 'http.request.method': request.method }
      const span = tracer.startSpan(
        request.method,
        { kind, attributes },
        withCaller(api, parent, trace.parent),
      )
      trace.follow(span.spanContext())
      return within(span, work, (response) => {
        if (!response) {
          span.setAttribute('hallpass.passed_on', true)
          return
        }
        if (trace.route !== undefined) {
          span.updateName(`${request.method} ${trace.route}`)
          span.setAttribute('http.route', trace.route)
        }
        span.setAttribute('http.response.status_code', response.status)
        if (trace.refusal) span.setAttribute('hallpass.reason', trace.refusal.reason)
        if (response.status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR })
      })
    },
    part(name, work) {
      return within(tracer.startSpan(name), work, () => {})
    },
  }
}

/** The caller's span as the parent, also where no propagator was registered that reads it. */
function withCaller(
  api: typeof import('@opentelemetry/api'),
  context: ReturnType<typeof api.context.active>,
  caller: { readonly traceId: string; readonly parentId: string; readonly flags: number } | undefined,
): ReturnType<typeof api.context.active> {
  if (!caller || api.trace.getSpanContext(context)) return context
  const { traceId, parentId: spanId, flags: traceFlags } = caller
  return api.trace.setSpanContext(context, { traceId, spanId, traceFlags, isRemote: true })
}
