/** What the compiler knows about identities behind each adapter; it is `tsc` that fails when one of these drifts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RequestHandler } from 'express'
import type { FastifyRequest } from 'fastify'
import { type ExpressMiddleware, guard as guardExpress } from 'hallpass/express'
import { guard as guardFastify } from 'hallpass/fastify'
import { type GuardEnv, guard as guardHono, requireIdentity } from 'hallpass/hono'
import { guard as guardNode, type Identity, identityOf } from 'hallpass/node'
import type { Hallpass } from 'hallpass/server'
import { guard as guardWeb } from 'hallpass/web'
import { Hono } from 'hono'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => {}

describe('the identity that an adapter puts on a request', () => {
  test('is typed on Express', () => {
    const handler: RequestHandler = (request) =>
      same<typeof request.hallpass.identity, Identity | undefined>(true)
    const middleware: (guarded: ExpressMiddleware) => RequestHandler = (guarded) => guarded
    for (const one of [handler, middleware, guardExpress]) assert.equal(typeof one, 'function')
  })

  test('is typed on Fastify, where nobody can replace it', () => {
    same<FastifyRequest['hallpass']['identity'], Identity | undefined>(true)
    const replace = (request: FastifyRequest): void => {
      // @ts-expect-error: it is read-only.
      request.hallpass = { identity: undefined }
    }
    for (const one of [replace, guardFastify]) assert.equal(typeof one, 'function')
  })

  test('is typed on Hono, and always somebody behind requireIdentity', () => {
    const build = (hallpass: Hallpass): Hono<GuardEnv> =>
      new Hono<GuardEnv>()
        .use(guardHono(hallpass))
        .get('/', (c) => {
          same<typeof c.var.identity, Identity | undefined>(true)
          return c.body(null)
        })
        .get('/mine', requireIdentity, (c) => c.text(c.var.identity.user.username))
    for (const one of [build]) assert.equal(typeof one, 'function')
  })

  test('is an argument on node:http and for web-standard handlers, which keep their own arguments', () => {
    const node = (hallpass: Hallpass) =>
      guardNode(hallpass, (request, _response, identity) => {
        same<typeof identity, Identity | undefined>(true)
        same<ReturnType<typeof identityOf>, Identity | undefined>(true)
        return identityOf(request)
      })
    const web = (hallpass: Hallpass) =>
      guardWeb(hallpass, (_request, identity, context: { params: string }) => {
        same<typeof identity, Identity | undefined>(true)
        return new Response(context.params)
      })
    same<Parameters<ReturnType<typeof web>>, [request: Request, context: { params: string }]>(true)
    for (const one of [node, web]) assert.equal(typeof one, 'function')
  })
})
