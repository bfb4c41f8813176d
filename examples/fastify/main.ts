/** The shop on Fastify, with keys for its customers' apps. */
import fastify, { type FastifyRequest } from 'fastify'
import { guard, requireIdentity } from 'hallpass/fastify'
import { createHallpass, openSqliteStore } from 'hallpass/server'
import { guardedShop, sessionIn } from '../shop/guarded.ts'
import { homePage, safeReturn, signInPage } from '../shop/pages.ts'
import { createShop, itemOf, sessionCookie } from '../shop/shop.ts'

const port = Number(process.env.PORT ?? 3000)
const baseUrl = `http://localhost:${port}`
const shop = createShop()
// The shop forgets everything when it ends, and so do its keys. Give a file its name here, and they last.
const store = await openSqliteStore({ path: ':memory:' })
const hallpass = await createHallpass({ ...guardedShop(shop), store, baseUrl })

const app = fastify()
// Forms: what the plugin @fastify/formbody does.
app.addContentTypeParser(
  'application/x-www-form-urlencoded',
  { parseAs: 'string' },
  async (_request: FastifyRequest, body: string) => Object.fromEntries(new URLSearchParams(body)),
)
await app.register(guard, { hallpass })

app.get('/', async (request, reply) => {
  const customer = shop.findCustomer(callerOf(request))
  return reply.type('text/html').send(homePage(customer, shop.invoicesOf(callerOf(request))))
})

app.get<{ Querystring: { return_to?: string } }>('/sign-in', async (request, reply) =>
  reply.type('text/html').send(signInPage(safeReturn(request.query.return_to, baseUrl))),
)

app.post<{ Body: Record<string, string> | undefined }>('/sign-in', async (request, reply) => {
  const { username, password, return_to: returnTo } = request.body ?? {}
  const session = shop.signIn(String(username), String(password))
  const next = safeReturn(returnTo, baseUrl)
  if (session === undefined) {
    return reply.code(403).type('text/html').send(signInPage(next, 'That is not right.'))
  }
  reply.header('set-cookie', `${sessionCookie}=${session}; Path=/; HttpOnly; SameSite=Lax`)
  return reply.redirect(next, 303)
})

app.post('/sign-out', async (request, reply) => {
  shop.signOut(sessionIn(request.headers.cookie))
  reply.header('set-cookie', `${sessionCookie}=; Path=/; Max-Age=0`)
  return reply.redirect('/', 303)
})

app.register(async (invoices) => {
  invoices.addHook('preHandler', requireIdentity)

  invoices.get('/invoices', async (request) => ({ invoices: shop.invoicesOf(callerOf(request)) }))

  invoices.get<{ Params: { id: string } }>('/invoices/:id', async (request, reply) => {
    const invoice = shop.invoiceOf(callerOf(request), Number(request.params.id))
    return invoice ?? reply.code(404).send({ errors: ['you have no such invoice'] })
  })

  invoices.post('/invoices', async (request, reply) => {
    const item = itemOf(request.body)
    if (item === undefined) return reply.code(422).send({ errors: ['say which item'] })
    return reply.code(201).send(shop.addInvoice(callerOf(request), item))
  })
})

app.addHook('onClose', async () => {
  await hallpass.close()
  await store.close()
})
await app.listen({ port, host: '127.0.0.1' })
console.log(`the shop is open at ${baseUrl}`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())

/** The customer's id, whether they came by themselves or an app came for them; of visitors, an empty one. */
function callerOf({ hallpass: { identity } }: FastifyRequest): string {
  return identity?.user.id ?? ''
}
