/**
 * The trace of a request: one id that its log lines, its refusal and its entries in the audit log share. Made only when
 * somebody asks for it, since most requests end without a word about them.
 */

import type { Refusal } from '../protocol/errors.ts'
import { readTraceParent, type TraceParent, traceParentHeader } from '../protocol/traceparent.ts'

/** What traces are kept by: a web-standard `Request`, or what else stands for one request and has its headers. */
export interface Traceable {
  readonly headers: { get(name: string): string | null }
}

export class Trace {
  /** Why the request was refused, once it was; for those who tell of it. */
  refusal: Refusal | undefined
  /** The id of the key that the request was let in by; for those who tell of it. */
  key: { readonly kind: 'user_api_key' | 'api_key'; readonly id: number } | undefined
  /** The name of the route that answered, where somebody wants to know. */
  route: string | undefined
  /** The address that the request came from; null while nobody has said. */
  address: string | null = null
  /** Whether an observer has been told of the refusal. */
  isTold = false
  readonly #parent: TraceParent | undefined
  #flags: number
  #id: string | undefined
  #spanId: string | undefined

  constructor(parent: TraceParent | undefined) {
    this.#parent = parent
    this.#id = parent?.traceId
    this.#flags = parent?.flags ?? 0
  }

  /** 32 lower-case hexadecimal digits: the caller's, where it sent a well-formed `traceparent`, else by chance. */
  get id(): string {
    this.#id ??= randomHex(32)
    return this.#id
  }

  /**
   * For a request that is made on behalf of this one. Where no span of ours was recorded, the caller's stays the parent
   * (Trace Context §3.4: pass it on as it is), and where there is none either, a number by chance stands for it.
   */
  get traceparent(): string {
    this.#spanId ??= this.#parent?.parentId ?? randomHex(16)
    return traceParentHeader({ traceId: this.id, parentId: this.#spanId, flags: this.#flags })
  }

  /** The caller's place in its trace; undefined where it sent no well-formed `traceparent`. */
  get parent(): TraceParent | undefined {
    return this.#parent
  }

  /** Goes by the span that stands for this request in a tracing system. */
  follow(span: { readonly traceId: string; readonly spanId: string; readonly traceFlags: number }): void {
    this.#id = span.traceId
    this.#spanId = span.spanId
    this.#flags = span.traceFlags
  }
}

const traces = new WeakMap<object, Trace>()

/** The trace of a request: the same one each time, as long as the request lives. */
export function traceOf(request: Traceable): Trace {
  const known = traces.get(request)
  if (known) return known
  const trace = new Trace(readTraceParent(request.headers.get('traceparent')))
  traces.set(request, trace)
  return trace
}

/** The trace that somebody has asked for before; undefined when nobody has. */
export function knownTrace(request: object): Trace | undefined {
  return traces.get(request)
}

/** Makes `trace` that of another object, too, which stands for the same request. */
export function shareTrace(trace: Trace, request: object): void {
  traces.set(request, trace)
}

/** Random digits out of a UUID, of which the runtime keeps some ready: its few fixed ones keep it from being all zeros. */
function randomHex(digits: 16 | 32): string {
  return crypto.randomUUID().replaceAll('-', '').slice(-digits)
}
