/** `hallpass call`: one request with the kept key. */
import type { Command } from 'commander'
import { createClient } from '../client/api-client.ts'
import { CredentialFile } from '../client/credential-file.ts'
import { bodyOf, type Field, parseField, parseHeader, parseJson, withQuery } from './call-fields.ts'
import { usageError } from './failure.ts'
import { keptKey, type SiteFlags, siteOption } from './kept-key.ts'
import { withLoginCommand } from './offered-scopes.ts'
import { note, readStdin } from './terminal.ts'

interface CallFlags extends SiteFlags {
  readonly json?: string
  readonly header?: readonly string[]
  readonly include?: true
}

/** Adds `call` to the program. */
export function registerCall(program: Command): void {
  program
    .command('call')
    .summary('send one request with your key')
    .description(
      'Sends one request to the site and prints its answer.\nname=text and name:=json are fields: of the query for GET, of a JSON body otherwise.',
    )
    .argument('<method>', 'GET, POST, PUT, PATCH, DELETE or HEAD')
    .argument('<path>', 'a path of the site, such as /latest.json')
    .argument('[fields...]', 'name=text or name:=json')
    .option('--json <json>', 'the whole body; - takes it from stdin')
    .option(
      '--header <header>',
      'a further header, as in "Accept: text/csv"; may be repeated',
      (header: string, others: readonly string[] = []) => [...others, header],
    )
    .option('--include', 'print the status and the headers too')
    .option(...siteOption)
    .addHelpText(
      'after',
      `
examples:
  hallpass call GET /session/current.json
  hallpass call GET /search.json q="hall pass"
  hallpass call POST /posts.json title="A title" raw="Some words about it." category:=4
  hallpass call PUT /posts/12.json --json '{"post":{"raw":"Better words."}}'`,
    )
    .action(call)
}

async function call(method: string, path: string, texts: readonly string[], flags: CallFlags): Promise<void> {
  const verb = method.toUpperCase()
  if (!methods.includes(verb)) throw usageError(`${method} is no method. use one of ${methods.join(', ')}`)
  const fields = texts.map(parseField)
  const headers = new Headers(
    (flags.header ?? []).map(parseHeader).map(([name, value]): [string, string] => [name, value]),
  )
  const request = await describeRequest(verb, path, fields, flags.json)
  if (request.body !== undefined && !headers.has('content-type'))
    headers.set('Content-Type', 'application/json')

  const { credential } = await keptKey(new CredentialFile(), flags.site)
  const client = createClient(credential, {
    onWait: ({ waitMs, refusal }) => note(`waiting ${Math.ceil(waitMs / 1000)} s: ${refusal.message}`),
  })
  const { body } = request
  const init: RequestInit = { method: verb, headers, ...(body === undefined ? {} : { body }) }
  const answer = await client.fetch(request.path, init).catch(async (error: unknown) => {
    throw await withLoginCommand(error, credential)
  })
  if (flags.include) process.stdout.write(head(answer))
  await print(answer)
}

const methods: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']

async function describeRequest(
  method: string,
  path: string,
  fields: readonly Field[],
  json: string | undefined,
): Promise<{ readonly path: string; readonly body: string | undefined }> {
  const hasBody = method !== 'GET' && method !== 'HEAD'
  if (json !== undefined) {
    if (!hasBody) throw usageError(`${method} has no body. give fields, as in q="hall pass"`)
    if (fields.length > 0) throw usageError('give fields or --json, not both')
    const text = json === '-' ? await readStdin() : json
    parseJson(text, json === '-' ? 'stdin' : '--json')
    return { path, body: text }
  }
  if (!hasBody) return { path: withQuery(path, fields), body: undefined }
  return { path, body: fields.length > 0 || method !== 'DELETE' ? JSON.stringify(bodyOf(fields)) : undefined }
}

function head(answer: Response): string {
  const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}\n`)
  return `${answer.status} ${answer.statusText}\n${headers.join('')}\n`
}

/** As it came, so that another program can take it; laid out for reading where a person looks at it. */
async function print(answer: Response): Promise<void> {
  const bytes = Buffer.from(await answer.arrayBuffer())
  if (!process.stdout.isTTY) {
    process.stdout.write(bytes)
    return
  }
  const text = bytes.toString()
  if (text !== '') process.stdout.write(`${layOut(text).trimEnd()}\n`)
}

function layOut(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
