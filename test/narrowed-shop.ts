/** A shop whose orders can be given to apps for some customers only: for the tests of narrowed scopes. */
import type { OwnScope } from '../src/protocol/scopes.ts'

/** `customer_id` may come in query and body; `shop` is in the path. No route has both. */
export const ordersScope: OwnScope = {
  name: 'shop:orders',
  label: 'See your orders',
  description: 'Orders of the shop.',
  routes: [
    { methods: ['GET', 'POST'], paths: ['/orders'], params: ['customer_id', 'state'] },
    { methods: ['GET'], paths: ['/shops/:shop/orders'], pathParams: ['shop'], params: ['state'] },
    { methods: ['GET'], paths: ['/orders/summary'] },
  ],
}
