import type { PayloadText } from '../client/payload-text.ts'
import { note } from './terminal.ts'

export interface PasteOptions {
  /** What the text so far holds. */
  readonly read: (text: string) => PayloadText
  /** Ends the reading: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** What the end of the input means: that this is all there is, or (false) that nobody will paste. Default true. */
  readonly endIsAnswer?: boolean
}

/**
 * Reads stdin until it holds a whole payload, however many lines it was pasted in. Says how much is still missing once
 * a paste has come to rest, and starts afresh after a text that cannot be part of one.
 */
export function readPasted({ read, signal, endIsAnswer = true }: PasteOptions): Promise<string> {
  const input = process.stdin
  input.setEncoding('utf8')
  return new Promise((resolve, reject) => {
    let text = ''
    let resting: NodeJS.Timeout | undefined
    let isAtRest = true
    const stop = (): void => {
      clearTimeout(resting)
      input.off('data', take).off('end', end)
      signal?.removeEventListener('abort', abort)
      input.pause()
      // A terminal or a pipe that is still open must not keep the command alive.
      if ('unref' in input && typeof input.unref === 'function') input.unref()
    }
    const finish = (): void => {
      stop()
      resolve(text)
    }
    const take = (chunk: string): void => {
      clearTimeout(resting)
      text = isAtRest && chunk.trim() === '' ? '' : text + chunk
      isAtRest = false
      const { outcome } = read(text)
      if (outcome === 'found' || outcome === 'too_long') {
        finish()
        return
      }
      resting = setTimeout(() => {
        isAtRest = true
        const spoken = describe(read(text))
        if (spoken.startsAfresh) text = ''
        if (spoken.line) note(spoken.line)
      }, restMs)
    }
    const end = (): void => {
      if (endIsAnswer) finish()
    }
    const abort = (): void => {
      stop()
      reject(signal?.reason)
    }
    if (signal?.aborted) return abort()
    input.on('data', take).on('end', end)
    signal?.addEventListener('abort', abort, { once: true })
    input.resume()
  })
}

/** A terminal hands over a paste line by line; this long after the last one, the paste is over. */
const restMs = 400

function describe(text: PayloadText): { readonly line: string | undefined; readonly startsAfresh: boolean } {
  if (text.outcome === 'incomplete') {
    const line = `that is ${text.actual} of ${text.expected} characters. paste the rest, or start again with an empty line`
    return { line, startsAfresh: false }
  }
  if (text.outcome === 'malformed') {
    return { line: `that is no payload: ${text.problem}. paste it again`, startsAfresh: true }
  }
  const line = text.outcome === 'missing' ? `there is no payload in ${text.where}. paste it again` : undefined
  return { line, startsAfresh: true }
}
