import { listen } from 'hallpass/node'
import { createHallpass, openSqliteStore } from 'hallpass/server'
import { createShop, shopOptions } from './shop.ts'

const store = await openSqliteStore({ path: 'shop.db' })
const hallpass = await createHallpass({ ...shopOptions, store, baseUrl: 'http://localhost:3000' })
await listen(createShop(hallpass), { port: 3000, host: '127.0.0.1' })
