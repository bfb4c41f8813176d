/** The shop on Express, with keys for its customers' apps. */
import express from 'express'
import { guard, requireIdentity } from 'hallpass/express'
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

const app = express()
app.disable('x-powered-by')
app.use(express.json(), express.urlencoded({ extended: false }))
app.use(guard(hallpass))

app.get('/', (request, response) => {
  const customer = shop.findCustomer(callerOf(request))
  response.send(homePage(customer, shop.invoicesOf(callerOf(request))))
})

app.get('/sign-in', (request, response) => {
  response.send(signInPage(safeReturn(request.query.return_to, baseUrl)))
})

app.post('/sign-in', (request, response) => {
  const { username, password, return_to: returnTo } = (request.body ?? {}) as Record<string, string>
  const session = shop.signIn(String(username), String(password))
  const next = safeReturn(returnTo, baseUrl)
  if (session === undefined) response.status(403).send(signInPage(next, 'That is not right.'))
  else response.cookie(sessionCookie, session, { httpOnly: true, sameSite: 'lax' }).redirect(303, next)
})

app.post('/sign-out', (request, response) => {
  shop.signOut(sessionIn(request.headers.cookie))
  response.clearCookie(sessionCookie).redirect(303, '/')
})

app.use('/invoices', requireIdentity)

app.get('/invoices', (request, response) => {
  response.json({ invoices: shop.invoicesOf(callerOf(request)) })
})

app.get('/invoices/:id', (request, response) => {
  const invoice = shop.invoiceOf(callerOf(request), Number(request.params.id))
  if (invoice) response.json(invoice)
  else response.status(404).json({ errors: ['you have no such invoice'] })
})

app.post('/invoices', (request, response) => {
  const item = itemOf(request.body)
  if (item === undefined) response.status(422).json({ errors: ['say which item'] })
  else response.status(201).json(shop.addInvoice(callerOf(request), item))
})

const server = app.listen(port, '127.0.0.1', () => console.log(`the shop is open at ${baseUrl}`))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, close)

/** The customer's id, whether they came by themselves or an app came for them; of visitors, an empty one. */
function callerOf({ hallpass: { identity } }: express.Request): string {
  return identity?.user.id ?? ''
}

function close(): void {
  server.close(async () => {
    await hallpass.close()
    await store.close()
  })
}
