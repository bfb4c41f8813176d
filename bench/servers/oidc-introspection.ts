/**
 * oidc-provider's token introspection (RFC 7662), which is how a resource server asks about an opaque access token there:
 * its in-memory adapter, a client with a secret sent by HTTP Basic, a token by the client credentials grant. It prints
 * `TOKEN <token> <authorization header>` before `READY`.
 */
import { createServer } from 'node:http'
import Provider from 'oidc-provider'
import { announce } from './announce.ts'

const client = { id: 'bench', secret: 'not-a-secret-in-a-benchmark' }
const provider = new Provider('http://127.0.0.1', {
  clients: [
    {
      client_id: client.id,
      client_secret: client.secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: async () => true },
  },
  scopes: ['read'],
})

const found = await provider.Client.find(client.id)
if (!found) throw new Error('oidc-provider does not know its client')
const token = await new provider.ClientCredentials({ client: found, scope: 'read' }).save()
const basic = Buffer.from(`${client.id}:${client.secret}`).toString('base64')
console.log(`TOKEN ${token} Basic ${basic}`)
announce(createServer(provider.callback()))
