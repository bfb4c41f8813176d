/** What Hallpass has to be told of the shop. This, and one line of an adapter, is all that guarding it takes. */
import type { HallpassOptions, OwnScope } from 'hallpass/server'
import { type Shop, sessionCookie } from './shop.ts'

/** What apps may ask a customer for. A label is what the customer reads before they agree. */
export const scopes: readonly OwnScope[] = [
  {
    name: 'shop:invoices_read',
    label: 'See your invoices',
    description: 'GET /invoices and GET /invoices/ID.',
    routes: [{ methods: ['GET'], paths: ['/invoices', '/invoices/:id'] }],
  },
  {
    name: 'shop:invoices_write',
    label: 'Order in your name',
    description: 'POST /invoices.',
    routes: [{ methods: ['POST'], paths: ['/invoices'] }],
    marksWrite: true,
  },
]

/** Who the shop's users are, and what apps may do for them. */
export function guardedShop(shop: Shop): Omit<HallpassOptions, 'store'> {
  return {
    currentUser: async (request) => shop.customerOf(sessionIn(request.headers.get('cookie'))),
    findUser: async (id) => shop.findCustomer(id),
    signInUrl: (returnTo) => `/sign-in?return_to=${encodeURIComponent(returnTo)}`,
    scopes,
    pinnedSettings: {
      title: 'The kite shop',
      allow_user_api_key_scopes: ['session_info', ...scopes.map(({ name }) => name)].join('|'),
    },
  }
}

/** The session's id out of a `Cookie` header. */
export function sessionIn(cookies: string | null | undefined): string | undefined {
  return new RegExp(`(?:^|; )${sessionCookie}=([0-9a-f-]+)`).exec(cookies ?? '')?.[1]
}
