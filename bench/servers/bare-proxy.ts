/**
 * The ceiling of the gateway: a bare `node:http` proxy that keeps its connections open, hands on method, path and headers,
 * and pipes the bodies. `bare-proxy.ts <port of the upstream>`
 */
import { Agent, createServer, request } from 'node:http'
import { announce } from './announce.ts'

const port = Number(process.argv[2])
const agent = new Agent({ keepAlive: true, maxSockets: 1024 })

const server = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming
  const onward = request({ host: '127.0.0.1', port, agent, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  onward.on('error', () => outgoing.destroy())
  incoming.pipe(onward)
})
announce(server)
