/**
 * A suite that finds nothing wrong with anything proves nothing. Here a proxy stands between it and the real server and
 * spoils one thing at a time; the case of the requirement that is broken by it must fail.
 */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { runSuite } from '../../conformance/suite.ts'
import { type RunningServer, startServer } from '../running-server.ts'

interface Message {
  method: string
  path: string
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** What is done to a request on its way in, and to its answer on its way out. */
interface Defect {
  readonly what: string
  readonly breaks: readonly string[]
  readonly request?: (message: Message) => void
  readonly answer?: (message: Message) => void
}

const isNew = ({ path }: Message): boolean => path.startsWith('/user-api-key/new')
const isCreate = ({ path, method }: Message): boolean =>
  method === 'POST' && /^\/user-api-key(\.json)?($|\?)/.test(path)

const defects: readonly Defect[] = [
  {
    what: 'an older version in the probe',
    breaks: ['P-52'],
    answer: (message) => replaceHeader(message, 'auth-api-version', '3'),
  },
  {
    what: 'answers that caches may keep',
    breaks: ['P-22', 'P-23'],
    answer: (message) => replaceHeader(message, 'cache-control', 'public'),
  },
  {
    what: 'a payload in one line',
    breaks: ['P-131'],
    answer: (message) => {
      if (isCreate(message)) message.body = message.body.replaceAll('\\n', '')
    },
  },
  {
    what: 'a redirect whose payload is not escaped',
    breaks: ['P-132'],
    answer: (message) => {
      if (isCreate(message)) message.body = message.body.replaceAll('%2F', '/').replaceAll('%2B', '+')
    },
  },
  {
    what: 'the other padding than was asked for',
    breaks: ['P-123', 'P-126', 'P-185'],
    request: (message) => {
      message.body = message.body
        .replace('padding=oaep', 'padding=pkcs1')
        .replace('"padding":"oaep"', '"padding":"pkcs1"')
    },
  },
  {
    what: 'an expiry that is ignored',
    breaks: ['P-114', 'P-118', 'P-241'],
    request: (message) => {
      message.body = message.body.replace(/(^|&)expires_in_seconds=\d+/, '')
    },
  },
  {
    what: 'a scope too many in what is allowed',
    breaks: ['P-322', 'P-328', 'P-336', 'P-340'],
    request: (message) => {
      if (isCreate(message)) message.body = message.body.replace(/(^|&)scopes=[^&]*/, '$1scopes=write')
    },
  },
  {
    what: 'a missing field of the consent model',
    breaks: ['P-66'],
    answer: (message) => {
      if (isNew(message)) message.body = message.body.replace('"redirect_uri"', '"redirect"')
    },
  },
  {
    what: 'a CSRF token that is not asked for',
    breaks: ['P-13'],
    answer: (message) => {
      if (message.body.includes('BAD CSRF')) Object.assign(message, { status: 200, body: '{"payload":""}' })
    },
  },
  {
    what: 'a revocation that does nothing',
    breaks: ['P-240', 'P-243', 'P-451'],
    request: (message) => {
      if (message.path.includes('/revoke'))
        Object.assign(message, { method: 'GET', path: '/session/current.json' })
    },
    answer: (message) => {
      if (message.body.includes('current_user') && message.method === 'POST')
        message.body = '{"success":"OK"}'
    },
  },
  {
    what: 'refusals without their type',
    breaks: ['P-83', 'P-301', 'P-391'],
    answer: (message) => {
      message.body = message.body.replace('"error_type":"invalid_access",', '')
    },
  },
  {
    what: 'refusals that fall over',
    breaks: ['P-57', 'P-149'],
    answer: (message) => {
      if (/public key/i.test(message.body)) message.status = 500
    },
  },
  {
    what: 'every origin allowed',
    breaks: ['P-430'],
    answer: (message) => replaceHeader(message, 'access-control-allow-origin', '*'),
  },
  {
    what: 'a device code that polls for ever',
    breaks: ['P-187', 'P-190'],
    answer: (message) => {
      message.body = message.body.replace('expired_token', 'authorization_pending')
    },
  },
  {
    what: 'a listed origin that is not allowed',
    breaks: ['P-428'],
    answer: (message) => replaceHeader(message, 'access-control-allow-origin', undefined),
  },
]

let server: RunningServer
let proxy: Server
let address: string
let current: Defect | undefined
before(async () => {
  server = await startServer()
  proxy = createServer((incoming, outgoing) => {
    void forward(incoming).then(({ status, headers, body }) => {
      outgoing.writeHead(status, headers)
      outgoing.end(incoming.method === 'HEAD' ? undefined : body)
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  address = `http://localhost:${(proxy.address() as AddressInfo).port}`
})
after(async () => {
  proxy.closeAllConnections()
  proxy.close()
  await server.stop()
})

describe('runSuite', () => {
  for (const defect of defects) {
    test(`finds ${defect.what}`, async () => {
      assert.deepEqual(await outcomes(undefined, defect.breaks), allOf(defect.breaks, 'passed'))
      assert.deepEqual(await outcomes(defect, defect.breaks), allOf(defect.breaks, 'failed'))
    })
  }

  test('finds that a server which says yes to everything does nothing', async () => {
    const yes = createServer((_, answer) => answer.end('{}'))
    await new Promise<void>((resolve) => yes.listen(0, '127.0.0.1', resolve))
    const { port } = yes.address() as AddressInfo
    const report = await runSuite({ baseUrl: `http://127.0.0.1:${port}` })
    yes.closeAllConnections()
    yes.close()
    const passed = report.results.filter(({ outcome }) => outcome === 'passed').map(({ id }) => id)
    // Staying up, and answering a probe with nothing, is all that can be said for it.
    assert.deepEqual(passed, ['P-44', 'P-51', 'P-53'])
  })

  test('puts settings back and removes its users when a case fails', async () => {
    const before = await settings()
    const report = await run(
      { breaks: [], what: '', answer: (message) => replaceHeader(message, 'auth-api-version', '9') },
      ['P-49', 'P-52', 'P-77'],
    )
    assert.equal(report.totals.failed, 1)
    assert.deepEqual(report.leftBehind, [])
    assert.deepEqual(await settings(), before)
  })
})

async function outcomes(defect: Defect | undefined, ids: readonly string[]): Promise<Record<string, string>> {
  const { results } = await run(defect, ids)
  return Object.fromEntries(results.map(({ id, outcome }) => [id, outcome]))
}

async function run(defect: Defect | undefined, only: readonly string[]): ReturnType<typeof runSuite> {
  current = defect
  try {
    return await runSuite({
      baseUrl: address,
      adminApiKey: server.adminApiKey,
      adminUsername: server.adminUsername,
      only,
    })
  } finally {
    current = undefined
  }
}

function allOf(ids: readonly string[], outcome: string): Record<string, string> {
  return Object.fromEntries(ids.map((id) => [id, outcome]))
}

async function settings(): Promise<unknown> {
  const headers = { 'api-key': server.adminApiKey, 'api-username': server.adminUsername }
  return (await fetch(`${server.baseUrl}/admin/site_settings.json`, { headers })).json()
}

async function forward(incoming: IncomingMessage): Promise<Message> {
  const message: Message = {
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    status: 0,
    headers: { ...incoming.headers },
    body: await textOf(incoming),
  }
  const asked = { ...message }
  current?.request?.(message)
  message.headers['content-length'] = String(Buffer.byteLength(message.body))
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { method, path, headers } = message
    const outgoing = send({ host: '127.0.0.1', port: server.port, method, path, headers }, resolve)
    outgoing.on('error', reject)
    outgoing.end(message.body)
  })
  const answered: Message = {
    ...asked,
    status: answer.statusCode ?? 0,
    headers: { ...answer.headers },
    body: await textOf(answer),
  }
  current?.answer?.(answered)
  for (const name of ['content-length', 'transfer-encoding', 'connection', 'keep-alive'])
    delete answered.headers[name]
  return answered
}

async function textOf(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of message) text += chunk
  return text
}

function replaceHeader({ headers }: Message, name: string, value: string | undefined): void {
  if (headers[name] === undefined) return
  if (value === undefined) delete headers[name]
  else headers[name] = value
}
