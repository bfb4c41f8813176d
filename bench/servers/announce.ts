import type { Server } from 'node:http'

/** Has a server listen on a free port of the loopback interface, says which (`READY <port>`), and ends on SIGTERM. */
export function announce(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    console.log(`READY ${address.port}`)
  })
  process.once('SIGTERM', () => process.exit(0))
}
