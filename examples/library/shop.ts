import { refusal } from 'hallpass'
import type { WebHandler } from 'hallpass/node'
import type { Hallpass, HallpassOptions, HostUser } from 'hallpass/server'

/** The shop's own users, orders and sessions; yours are in a database. */
export const users: Map<string, HostUser> = new Map([['u_9f', { id: 'u_9f', username: 'zoe' }]])
const orders = new Map([['7', { id: '7', customer: 'u_9f', item: 'a kite' }]])
const sessions = new Map([['0123456789abcdef', 'u_9f']])

/** What Hallpass has to know of the shop: who its users are, and what an app may ask them for. */
export const shopOptions: Partial<HallpassOptions> = {
  async currentUser(request) {
    const session = /(?:^|; )shop_session=(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1]
    return users.get(sessions.get(session ?? '') ?? '')
  },
  findUser: async (id) => users.get(id),
  signInUrl: (returnTo) => `/sign-in?return_to=${encodeURIComponent(returnTo)}`,
  scopes: [
    {
      name: 'shop:orders',
      label: 'See your orders',
      description: 'GET /orders/ID.',
      routes: [{ methods: ['GET'], paths: ['/orders/:id'] }],
    },
  ],
  pinnedSettings: { title: 'The kite shop', allow_user_api_key_scopes: 'shop:orders' },
}

/** The shop, guarded: Hallpass's routes first, then the shop's own for whoever may. */
export function createShop(hallpass: Hallpass): WebHandler {
  return async (request, connection) => {
    const own = await hallpass.handle(request, connection)
    if (own) return own
    const caller = await hallpass.authenticate(request, { connection })
    if (caller.outcome === 'refused') return hallpass.refuse(request, caller.refusal)
    if (caller.outcome === 'anonymous') return hallpass.refuse(request, refusal('not_signed_in'))
    const [, id = ''] = /^\/orders\/(\d+)$/.exec(new URL(request.url).pathname) ?? []
    const order = orders.get(id)
    // Hallpass decides what an app may ask; whose order it is remains the shop's business.
    if (order?.customer !== caller.identity.user.id) {
      return hallpass.refuse(request, refusal('not_found', { what: 'such order' }))
    }
    return hallpass.withCaller(Response.json(order), caller.identity, 'orders/show')
  }
}
