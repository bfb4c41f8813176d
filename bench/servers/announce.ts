import type { Server } from 'node:http'

/** Has a server listen on the loopback interface, says on which port (`READY <port>`), and ends on SIGTERM. Default: a free one. */
export function announce(server: Server, port = 0): void {
  server.listen(port, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    console.log(`READY ${address.port}`)
  })
  process.once('SIGTERM', () => process.exit(0))
}
