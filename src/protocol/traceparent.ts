/** The header `traceparent` of W3C Trace Context (level 1, §3.2): which trace a request belongs to. */

/** Where a request stands in a trace. */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all of them 0. */
  readonly traceId: string
  /** The caller's span: 16 lower-case hexadecimal digits, not all of them 0. */
  readonly parentId: string
  /** The trace flags, 0 to 255; the lowest bit says that the caller may have recorded it. */
  readonly flags: number
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * Reads the header; undefined for one that is not well-formed, which counts as absent (§4.3). A version that is not known
 * yet may have more parts behind those of version 00, and these are not looked at.
 */
export function readTraceParent(header: string | null | undefined): TraceParent | undefined {
  if (header === null || header === undefined || header.length < 55 || header.length > 256) return undefined
  const [, version, traceId = '', parentId = '', flags = '', more] = form.exec(header) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined
  return { traceId, parentId, flags: Number.parseInt(flags, 16) }
}

/** Puts the header into words, in version 00. */
export function traceParentHeader({ traceId, parentId, flags }: TraceParent): string {
  return `00-${traceId}-${parentId}-${flags.toString(16).padStart(2, '0')}`
}
