/** Web-standard answers, sent through `node:http`. */
import type { ServerResponse } from 'node:http'

/**
 * Sends `response`; resolves once all of it is handed to the connection, or the connection is gone. Goes through
 * `setHeader`, `write` and `end` alone, so that middleware which has wrapped those, to compress, sees everything.
 */
export async function sendResponse(outgoing: ServerResponse, response: Response): Promise<void> {
  if (outgoing.destroyed) {
    await response.body?.cancel()
    return
  }
  outgoing.statusCode = response.status
  putHeaders(outgoing, response.headers)
  const reader = response.body?.getReader()
  if (!reader) {
    outgoing.end()
    return
  }
  const stop = (): void => void reader.cancel().catch(() => {})
  outgoing.once('close', stop)
  try {
    await sendChunks(outgoing, reader)
  } catch (error) {
    // The beginning is on its way already; a connection that breaks off is all that can still say so.
    outgoing.destroy(error instanceof Error ? error : undefined)
  } finally {
    outgoing.off('close', stop)
  }
}

/** Puts headers on an answer that has not begun. What is there already is replaced, but for cookies and `Vary`. */
export function putHeaders(outgoing: ServerResponse, headers: Headers): void {
  for (const [name, value] of headers) {
    if (name === 'set-cookie') outgoing.appendHeader(name, value)
    else if (name === 'vary') outgoing.setHeader(name, joined(outgoing.getHeader(name), value))
    else outgoing.setHeader(name, value)
  }
}

function joined(before: number | string | string[] | undefined, added: string): string {
  const names = before === undefined ? [] : String(before).split(/\s*,\s*/)
  const isThere = names.some((name) => name.toLowerCase() === added.toLowerCase())
  return isThere ? names.join(', ') : [...names, added].join(', ')
}

async function sendChunks(
  outgoing: ServerResponse,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<void> {
  const first = await reader.read()
  let next = reader.read()
  const soon = await Promise.race([
    next,
    new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined))),
  ])
  if (first.done || soon?.done) {
    // Nearly every answer is one piece, which `end` sends with its length.
    outgoing.end(first.value)
    return
  }
  let chunk: ReadableStreamReadResult<Uint8Array> = first
  while (!chunk.done && !outgoing.destroyed) {
    if (!outgoing.write(chunk.value)) await drained(outgoing)
    chunk = await next
    if (!chunk.done) next = reader.read()
  }
  outgoing.end()
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.on('drain', done)
    outgoing.on('close', done)
  })
}
