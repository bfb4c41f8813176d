import { createClient } from 'hallpass/client'
import { authorizeWithLoopback } from 'hallpass/client/node'

const site = process.argv[2] ?? 'http://localhost:4000'
const credential = await authorizeWithLoopback({
  site,
  applicationName: 'Ten lines',
  scopes: ['read', 'write'],
  openBrowser: (url) => console.log(`open ${url}`),
})
const client = createClient(credential)
console.log(`hello, ${(await client.currentUser()).username}`)
await client.post('/posts.json', { title: 'Hello from ten lines', raw: 'Written with a user API key.' })
await client.revoke()
