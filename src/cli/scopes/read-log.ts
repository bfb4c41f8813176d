/** Lines out of log files of any size, gzip or not. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'
import { createGunzip } from 'node:zlib'
import { HallpassError } from '../../protocol/errors.ts'

/**
 * Gives each line of a file to `take`, with its number, and undefined in the place of one that is too long to be one.
 * `file` may be `-`, the standard input. Memory does not grow with the file. `progress` hears how much of it is read,
 * in bytes, and of how many; undefined where nobody knows.
 *
 * @throws HallpassError `log_unreadable`
 */
export async function readLog(
  file: string,
  take: (line: string | undefined, number: number) => void,
  progress: (readBytes: number, totalBytes: number | undefined) => void = () => {},
): Promise<void> {
  let number = 0
  try {
    const total = file === '-' ? undefined : (await stat(file)).size
    const source: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file)
    for await (const line of linesOf(unzipped(counted(source, (bytes) => progress(bytes, total))))) {
      number += 1
      take(line, number)
    }
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const where = number === 0 ? '' : ` after line ${number}`
    const remedy = 'name a log that is there and whole: --from FILE'
    throw new HallpassError('log_unreadable', `${file} cannot be read${where} (${why})`, remedy, {
      cause: error,
    })
  }
}

/** In UTF-16 code units. Servers take no longer request lines, by far. */
const longestLine = 262_144

async function* counted(
  source: AsyncIterable<Buffer>,
  hear: (readBytes: number) => void,
): AsyncGenerator<Buffer> {
  let readBytes = 0
  for await (const chunk of source) {
    readBytes += chunk.length
    hear(readBytes)
    yield chunk
  }
}

/** Whatever the file’s name: a gzip begins with two bytes that no line begins with (RFC 1952 §2.3.1). */
async function* unzipped(source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const { value: first, done } = await source.next()
  if (done) return
  const all = async function* (): AsyncGenerator<Buffer> {
    yield first
    yield* source
  }
  if (first[0] !== 0x1f || first[1] !== 0x8b) return yield* all()
  const gunzip = createGunzip()
  // What fails here fails in the loop that reads from it.
  const feeding = pipeline(all, gunzip).catch(() => {})
  yield* gunzip as AsyncIterable<Buffer>
  await feeding
}

async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<string | undefined> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let isTooLong = false
  const finish = (piece: string): string | undefined => {
    const line = isTooLong || rest.length + piece.length > longestLine ? undefined : rest + piece
    rest = ''
    isTooLong = false
    return line?.replace(/\r$/, '')
  }
  for await (const chunk of source) {
    const pieces = decoder.write(chunk).split('\n')
    const last = pieces.pop() ?? ''
    for (const piece of pieces) yield finish(piece)
    if (isTooLong || rest.length + last.length > longestLine) isTooLong = true
    else rest += last
    if (isTooLong) rest = ''
  }
  const end = rest + decoder.end()
  rest = ''
  if (end !== '' || isTooLong) yield finish(end)
}
