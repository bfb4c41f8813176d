import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestHallpass } from 'hallpass/testing'
import { createShop, shopOptions, users } from './shop.ts'

const zoe = { id: 'u_9f', username: 'zoe' }
const connection = { remoteAddress: '127.0.0.1' }

test('an app with the scope shop:orders sees the order of its user', async () => {
  const { hallpass, request, close } = await createTestHallpass({ ...shopOptions, user: zoe })
  const response = await createShop(hallpass)(request('/orders/7'), connection)
  assert.equal((await response.json()).item, 'a kite')
  await close()
})

test('an app without the scope is refused, and told which scope it needs', async () => {
  const { hallpass, request, keyFor, close } = await createTestHallpass({ ...shopOptions, user: zoe })
  const key = await keyFor({ scopes: ['session_info'] })
  const headers = { 'user-api-key': key }
  const response = await createShop(hallpass)(request('/orders/7', { headers }), connection)
  const { reason, message } = await response.json()
  assert.deepEqual([response.status, reason], [403, 'scope_insufficient'])
  assert.match(message, /shop:orders/)
  await close()
})

test('an app loses its access with the account of its user', async () => {
  const { hallpass, request, close } = await createTestHallpass({ ...shopOptions, user: zoe })
  const shop = createShop(hallpass)
  assert.equal((await shop(request('/orders/7'), connection)).status, 200)
  users.set(zoe.id, { ...zoe, active: false })
  await hallpass.userChanged(zoe.id)
  const response = await shop(request('/orders/7'), connection)
  assert.equal((await response.json()).reason, 'owner_inactive')
  users.set(zoe.id, zoe)
  await close()
})
