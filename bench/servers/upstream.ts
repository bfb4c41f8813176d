/** The application behind the gateways: a bare `node:http` server that answers every request with the same JSON. `upstream.ts [port]` */
import { createServer } from 'node:http'
import { announce } from './announce.ts'

const body = JSON.stringify({ topics: [{ id: 1, title: 'What the application has to say', posts_count: 3 }] })
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }

announce(
  createServer((_request, response) => void response.writeHead(200, headers).end(body)),
  Number(process.argv[2] ?? 0),
)
