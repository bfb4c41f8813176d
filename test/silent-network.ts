/** A network between a client and a server that can go silent: what is sent arrives nowhere, and nobody is told. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface SilentNetwork {
  /** Of this end, on the loopback interface. */
  readonly port: number
  /** From now on nothing gets through on the connections that there are; new ones are as ever. */
  silence(): void
  /** Lets the server know that the connections on which nothing gets through are gone. */
  hangUp(): void
  close(): void
}

export async function startSilentNetwork(serverPort: number): Promise<SilentNetwork> {
  const sockets = new Set<Socket>()
  const silent = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(serverPort, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    silence() {
      for (const socket of sockets) silent.add(socket.unpipe())
    },
    hangUp() {
      for (const socket of silent) socket.destroy()
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
