/** The shop on h3, whose handlers are web-standard, with keys for its customers' apps. */
import {
  deleteCookie,
  getCookie,
  getQuery,
  H3,
  type H3Event,
  html,
  raw,
  redirect,
  serve,
  setCookie,
} from 'h3'
import { refusal } from 'hallpass'
import { createHallpass, openSqliteStore } from 'hallpass/server'
import { guard, type Identity } from 'hallpass/web'
import { guardedShop } from '../shop/guarded.ts'
import { homePage, safeReturn, signInPage } from '../shop/pages.ts'
import { createShop, itemOf, sessionCookie } from '../shop/shop.ts'

const port = Number(process.env.PORT ?? 3000)
const baseUrl = `http://localhost:${port}`
const shop = createShop()
// The shop forgets everything when it ends, and so do its keys. Give a file its name here, and they last.
const store = await openSqliteStore({ path: ':memory:' })
const hallpass = await createHallpass({ ...guardedShop(shop), store, baseUrl })

const routes = new H3()

routes.get('/', (event) => {
  const customer = shop.findCustomer(callerOf(event))
  return html(raw(homePage(customer, shop.invoicesOf(callerOf(event)))))
})

routes.get('/sign-in', (event) => html(raw(signInPage(safeReturn(getQuery(event).return_to, baseUrl)))))

routes.post('/sign-in', async (event) => {
  const form = new URLSearchParams(await event.req.text())
  const session = shop.signIn(form.get('username') ?? '', form.get('password') ?? '')
  const next = safeReturn(form.get('return_to'), baseUrl)
  if (session === undefined) {
    event.res.status = 403
    return html(raw(signInPage(next, 'That is not right.')))
  }
  setCookie(event, sessionCookie, session, { httpOnly: true, sameSite: 'lax', path: '/' })
  return redirect(next, 303)
})

routes.post('/sign-out', (event) => {
  shop.signOut(getCookie(event, sessionCookie))
  deleteCookie(event, sessionCookie, { path: '/' })
  return redirect('/', 303)
})

// Answers for visitors who are nobody; undefined has h3 go on to the route.
routes.use('/invoices/**', (event) =>
  event.context.identity ? undefined : hallpass.refuse(event.req, refusal('not_signed_in')),
)

routes.get('/invoices', (event) => ({ invoices: shop.invoicesOf(callerOf(event)) }))

routes.get('/invoices/:id', (event) => {
  const invoice = shop.invoiceOf(callerOf(event), Number(event.context.params?.id))
  return invoice ?? Response.json({ errors: ['you have no such invoice'] }, { status: 404 })
})

routes.post('/invoices', async (event) => {
  const item = itemOf(await event.req.json().catch(() => undefined))
  if (item === undefined) return Response.json({ errors: ['say which item'] }, { status: 422 })
  return Response.json(shop.addInvoice(callerOf(event), item), { status: 201 })
})

// The shop is behind the guard, and told by it who sent the request. Next.js, SvelteKit, Astro, Bun and Deno take such a
// handler too: see docs/adapters.md.
const guarded = guard(hallpass, (request, identity) => routes.request(request, undefined, { identity }), {
  remoteAddress: (request) => ('ip' in request ? String(request.ip) : undefined),
})
const app = new H3().all('/**', (event) => guarded(event.req))
const server = serve(app, { port, hostname: '127.0.0.1', silent: true, gracefulShutdown: false })
await server.ready()
console.log(`the shop is open at ${baseUrl}`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close())

declare module 'h3' {
  interface H3EventContext {
    identity?: Identity | undefined
  }
}

/** The customer's id, whether they came by themselves or an app came for them; of visitors, an empty one. */
function callerOf({ context: { identity } }: H3Event): string {
  return identity?.user.id ?? ''
}

async function close(): Promise<void> {
  await server.close()
  await hallpass.close()
  await store.close()
}
