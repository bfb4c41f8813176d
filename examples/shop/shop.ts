/**
 * The shop that the applications beside this folder are: its customers, their sessions and their invoices, in memory. Of
 * Hallpass it knows nothing; yours has all of this already.
 */
import { randomUUID } from 'node:crypto'

export interface Customer {
  readonly id: string
  readonly username: string
  readonly name: string
}

export interface Invoice {
  readonly id: number
  readonly item: string
}

export interface Shop {
  /** A new session's id; undefined for a wrong name or password. */
  signIn(username: string, password: string): string | undefined
  signOut(session: string | undefined): void
  /** Whose session that is. */
  customerOf(session: string | undefined): Customer | undefined
  findCustomer(id: string): Customer | undefined
  invoicesOf(customerId: string): readonly Invoice[]
  invoiceOf(customerId: string, id: number): Invoice | undefined
  addInvoice(customerId: string, item: string): Invoice
}

/** The cookie that holds the session's id. */
export const sessionCookie = 'shop_session'

/** A shop with two customers, each of whom has bought something. */
export function createShop(): Shop {
  const sessions = new Map<string, string>()
  const invoices = new Map<string, Invoice[]>([
    ['c_1', [{ id: 1, item: 'a kite' }]],
    ['c_2', [{ id: 2, item: 'a ball of string' }]],
  ])
  let lastInvoice = 2
  const shop: Shop = {
    signIn(username, password) {
      const customer = customers.find((one) => one.username === username && one.password === password)
      if (!customer) return undefined
      const session = randomUUID()
      sessions.set(session, customer.id)
      return session
    },
    signOut: (session = '') => void sessions.delete(session),
    customerOf: (session = '') => shop.findCustomer(sessions.get(session) ?? ''),
    findCustomer: (id) => customers.find((one) => one.id === id),
    invoicesOf: (customerId) => invoices.get(customerId) ?? [],
    invoiceOf: (customerId, id) => shop.invoicesOf(customerId).find((invoice) => invoice.id === id),
    addInvoice(customerId, item) {
      lastInvoice += 1
      const invoice = { id: lastInvoice, item }
      invoices.set(customerId, [...shop.invoicesOf(customerId), invoice])
      return invoice
    },
  }
  return shop
}

/** What of a request's body is the item to invoice; undefined when there is none. */
export function itemOf(body: unknown): string | undefined {
  const item = typeof body === 'object' && body !== null && 'item' in body ? body.item : undefined
  return typeof item === 'string' && item.trim() !== '' && item.length <= 200 ? item.trim() : undefined
}

// A real shop keeps hashes of passwords, not passwords.
const customers: readonly (Customer & { readonly password: string })[] = [
  { id: 'c_1', username: 'zoe', name: 'Zoe Quill', password: 'up with the kites' },
  { id: 'c_2', username: 'abel', name: 'Abel Finch', password: 'down with the rain' },
]
