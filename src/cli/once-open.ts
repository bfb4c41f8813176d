import type { IncomingMessage } from 'node:http'
import type { NodeListeners } from '../edge/node-server.ts'

/**
 * Listeners that wait for `site` and then are it. Whether the server runs is answered before that, by `running`: the hash of
 * the first password takes its time, and only who could sign in has to wait for it.
 */
export function onceOpen(site: Promise<NodeListeners>, running: Promise<NodeListeners>): NodeListeners {
  let open: NodeListeners | undefined
  site.then(
    (opened) => {
      open = opened
    },
    // The start has failed, and says so elsewhere.
    () => {},
  )
  return {
    request(incoming, outgoing) {
      // Every request passes here: once it is open, none waits for a turn of the promise.
      if (open) open.request(incoming, outgoing)
      else void (asksForHealth(incoming) ? running : site).then((one) => one.request(incoming, outgoing))
    },
    upgrade: (incoming, socket, head) => void site.then((opened) => opened.upgrade(incoming, socket, head)),
    shouldUpgrade: (incoming) => open?.shouldUpgrade(incoming) ?? false,
    breakOff: () => open?.breakOff(),
  }
}

function asksForHealth({ method, url }: IncomingMessage): boolean {
  return method === 'GET' && url === '/healthz'
}
