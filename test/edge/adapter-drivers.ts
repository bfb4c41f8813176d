/** The same application on every framework, behind the framework's adapter, on a real socket. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, RequestError, serve } from '@hono/node-server'
import express from 'express'
import fastify, { type FastifyInstance } from 'fastify'
import { H3, toNodeHandler } from 'h3'
import { Hono } from 'hono'
import { WebSocketServer } from 'ws'
import type { Identity } from '../../src/domain/identity.ts'
import * as expressAdapter from '../../src/edge/express.ts'
import * as fastifyAdapter from '../../src/edge/fastify.ts'
import type { GuardOptions } from '../../src/edge/guard.ts'
import * as honoAdapter from '../../src/edge/hono.ts'
import * as nodeAdapter from '../../src/edge/node.ts'
import * as webAdapter from '../../src/edge/web.ts'
import type { Hallpass } from '../../src/server/create-hallpass.ts'

export interface DriverOptions extends GuardOptions {
  /** Whether bodies are parsed before the guard sees the request, or behind it. */
  readonly bodies: 'parsed before' | 'parsed behind'
  /** Hears of every error that reached the framework's own handler. */
  readonly onError?: (error: unknown) => void
}

export interface Driver {
  readonly name: string
  /** Whether the guard knows forms and JSON even if nothing before it has parsed them. */
  readonly alwaysKnowsBodies?: boolean
  /** Whether the framework tells which route answers. */
  readonly tellsRoutes: boolean
  /** Whether there is a `requireIdentity`. */
  readonly requires: boolean
  listen(hallpass: Hallpass, options: DriverOptions): Promise<Server>
}

/** A server, with an echoing WebSocket beside the application. */
export interface RunningApp {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

export async function startApp(
  driver: Driver,
  hallpass: Hallpass,
  options: DriverOptions,
): Promise<RunningApp> {
  const server = await driver.listen(hallpass, options)
  const sockets = new WebSocketServer({ server, path: '/socket' })
  sockets.on('connection', (socket) => socket.on('message', (text) => socket.send(`echo ${text}`)))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What GET /who says. */
function describe(identity: Identity | undefined): Record<string, unknown> {
  return { user: identity?.user.username ?? null, via: identity?.via ?? null }
}

const faultText = 'the application is at fault'

async function listening(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const onExpress: Driver = {
  name: 'express',
  tellsRoutes: true,
  requires: true,
  listen(hallpass, { bodies, onError, ...options }) {
    const app = express()
    const parsers = [express.json(), express.urlencoded({ extended: true })]
    if (bodies === 'parsed before') app.use(parsers)
    app.use(expressAdapter.guard(hallpass, options))
    if (bodies === 'parsed behind') app.use(parsers)
    app.get('/who', (request, response) => void response.json(describe(request.hallpass.identity)))
    app.get('/mine', expressAdapter.requireIdentity, (_, response) => void response.json({ yours: true }))
    app.get('/orders/:id', (request, response) => void response.json({ id: request.params.id }))
    app.post('/orders', (request, response) => void response.json({ ordered: request.body }))
    app.post('/upload', (request, response) => void request.pipe(response))
    app.get('/fault', () => {
      throw new Error(faultText)
    })
    const answerFault: express.ErrorRequestHandler = (error, _request, response, _next) => {
      onError?.(error)
      response.status(500).json({ fault: String(error) })
    }
    app.use(answerFault)
    return listening(createServer(app))
  },
}

const onFastify: Driver = {
  name: 'fastify',
  alwaysKnowsBodies: true,
  tellsRoutes: true,
  requires: true,
  async listen(hallpass, { bodies: _, onError, ...options }) {
    const app: FastifyInstance = fastify()
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string' },
      async (_request: unknown, text: string) => Object.fromEntries(new URLSearchParams(text)),
    )
    app.addContentTypeParser(
      'application/octet-stream',
      async (_request: unknown, payload: unknown) => payload,
    )
    await app.register(fastifyAdapter.guard, { hallpass, ...options })
    app.setErrorHandler(async (error, _request, reply) => {
      onError?.(error)
      return reply.code(500).send({ fault: String(error) })
    })
    app.get('/who', async (request) => describe(request.hallpass.identity))
    app.get('/mine', { preHandler: fastifyAdapter.requireIdentity }, async () => ({ yours: true }))
    app.get<{ Params: { id: string } }>('/orders/:id', async (request) => ({ id: request.params.id }))
    app.post('/orders', async (request) => ({ ordered: request.body }))
    app.post('/upload', async (request, reply) => reply.send(request.body))
    app.get('/fault', async () => {
      throw new Error(faultText)
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return app.server
  },
}

const onHono: Driver = {
  name: 'hono',
  tellsRoutes: true,
  requires: true,
  async listen(hallpass, { bodies, onError, ...options }) {
    const app = new Hono<honoAdapter.GuardEnv>()
    if (bodies === 'parsed before') {
      app.use(async (c, next) => {
        const type = c.req.header('content-type') ?? ''
        if (type.startsWith('application/json')) await c.req.json().catch(() => undefined)
        if (type.startsWith('application/x-www-form-urlencoded')) await c.req.parseBody()
        await next()
      })
    }
    app.use(honoAdapter.guard(hallpass, options))
    app.get('/who', (c) => c.json(describe(c.var.identity)))
    app.get('/mine', honoAdapter.requireIdentity, (c) => c.json({ yours: c.var.identity.user.active }))
    app.get('/orders/:id', (c) => c.json({ id: c.req.param('id') }))
    app.post('/orders', async (c) => {
      const isJson = c.req.header('content-type')?.includes('json')
      return c.json({ ordered: isJson ? await c.req.json() : await c.req.parseBody() })
    })
    app.post('/upload', (c) => new Response(c.req.raw.body))
    app.get('/fault', () => {
      throw new Error(faultText)
    })
    app.onError((error, c) => {
      onError?.(error)
      return c.json({ fault: String(error) }, 500)
    })
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects: false })
    await once(server, 'listening')
    return server as Server
  },
}

const onNode: Driver = {
  name: 'node',
  tellsRoutes: false,
  requires: false,
  listen(hallpass, { bodies, onError, ...options }) {
    const guarded = nodeAdapter.guard(
      hallpass,
      async (request, response, identity) => {
        const json = (value: unknown): void => {
          response.setHeader('content-type', 'application/json').end(JSON.stringify(value))
        }
        const path = request.url?.split('?')[0] ?? ''
        if (path === '/who') return json(describe(nodeAdapter.identityOf(request) ?? identity))
        if (path.startsWith('/orders/')) return json({ id: path.slice(8) })
        if (path === '/orders') {
          const body = 'body' in request ? request.body : parse(await textOf(request), request)
          return json({ ordered: body })
        }
        if (path === '/upload') return void request.pipe(response)
        if (path === '/fault') throw new Error(faultText)
        response.writeHead(404).end()
      },
      { ...options, onError: (error) => onError?.(error) },
    )
    const readFirst = async (request: IncomingMessage): Promise<void> => {
      const type = request.headers['content-type'] ?? ''
      if (/json|urlencoded/.test(type))
        Object.assign(request, { body: parse(await textOf(request), request) })
    }
    return listening(
      createServer(async (request, response) => {
        if (bodies === 'parsed before') await readFirst(request)
        guarded(request, response)
      }),
    )
  },
}

/** The application as a web-standard handler. */
async function answer(request: Request, identity: Identity | undefined): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === '/who') return Response.json(describe(identity))
  if (pathname.startsWith('/orders/')) return Response.json({ id: pathname.slice(8) })
  if (pathname === '/orders') return Response.json({ ordered: await parametersOf(request) })
  if (pathname === '/upload') return new Response(request.body)
  if (pathname === '/fault') throw new Error(faultText)
  return new Response(null, { status: 404 })
}

async function parametersOf(request: Request): Promise<Record<string, unknown> | undefined> {
  const type = request.headers.get('content-type') ?? ''
  if (type.includes('json')) return (await request.json()) as Record<string, unknown>
  if (type.includes('urlencoded')) return Object.fromEntries(new URLSearchParams(await request.text()))
  return undefined
}

interface NodeBindings {
  readonly incoming: IncomingMessage
}

const onWeb: Driver = {
  name: 'web',
  tellsRoutes: false,
  requires: false,
  listen(hallpass, { bodies, onError, ...options }) {
    const handler = webAdapter.guard(
      hallpass,
      (request, identity, _bindings: NodeBindings) => answer(request, identity),
      {
        ...options,
        remoteAddress: (_request, { incoming }) => incoming.socket.remoteAddress,
        ...(bodies === 'parsed before' ? { parameters: parametersOf } : {}),
      },
    )
    return listening(
      createServer(
        getRequestListener((request, env) => handler(request, env as NodeBindings), {
          overrideGlobalObjects: false,
          errorHandler: (error) => {
            if (error instanceof RequestError) return new Response(null, { status: 400 })
            onError?.(error)
            return Response.json({ fault: String(error) }, { status: 500 })
          },
        }),
      ),
    )
  },
}

const onH3: Driver = {
  name: 'h3',
  tellsRoutes: false,
  requires: false,
  listen(hallpass, { bodies, onError, ...options }) {
    const app = new H3({
      onError: (error) => {
        onError?.(error.cause ?? error)
        return Response.json({ fault: String(error.cause ?? error) }, { status: 500 })
      },
    })
    const handler = webAdapter.guard(hallpass, (request, identity) => answer(request, identity), {
      ...options,
      remoteAddress: (request) => ('ip' in request ? String(request.ip) : null),
      ...(bodies === 'parsed before' ? { parameters: parametersOf } : {}),
    })
    app.all('/**', (event) => handler(event.req))
    return listening(createServer(toNodeHandler(app)))
  },
}

export const drivers: readonly Driver[] = [onExpress, onFastify, onHono, onNode, onWeb, onH3]

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function parse(text: string, { headers }: IncomingMessage): unknown {
  return headers['content-type']?.includes('json')
    ? JSON.parse(text)
    : Object.fromEntries(new URLSearchParams(text))
}
