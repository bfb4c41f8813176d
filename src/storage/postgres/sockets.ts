import { Socket } from 'node:net'

/**
 * The sockets of one or more connections. `pg` ends a connection by asking the server to, and waits for as long as it
 * takes; a server that stands still never does, and then only its sockets are left to take away.
 */
export class Sockets {
  readonly #open: Set<Socket> = new Set()
  #areTakenAway = false

  /** Makes a socket, as `stream` of a connection's options. */
  readonly create = (): Socket => {
    const socket = new Socket()
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    // Whoever asks for it hears by an event, which it cannot before it has the socket.
    if (this.#areTakenAway) setImmediate(() => takeAway(socket))
    return socket
  }

  /** From now on none of the connections goes on, and none is made. */
  readonly takeAway = (): void => {
    this.#areTakenAway = true
    for (const socket of this.#open) takeAway(socket)
  }

  /** Waits until `ended`, which ends the connections; after `patienceMs` milliseconds they are taken away. */
  async endWithin(patienceMs: number, ended: () => Promise<unknown>): Promise<void> {
    const timer = setTimeout(this.takeAway, patienceMs)
    try {
      await ended()
    } finally {
      clearTimeout(timer)
    }
  }
}

function takeAway(socket: Socket): void {
  socket.destroy(new Error('Connection terminated: the database is being closed'))
}
