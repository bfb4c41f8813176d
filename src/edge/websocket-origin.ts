/** WebSockets that pages open: browsers let a page of any site do so, with the cookies of the one it is opened to. */

/** What reads headers by their names in lower case. */
interface HeaderSource {
  get(name: string): string | null
}

/**
 * Whether a request opens a WebSocket. By headers that proxies leave in when they ask about it, which they do not of
 * `Upgrade`; in HTTP/2 (RFC 8441) there is no key, and browsers say it in `Sec-Fetch-Mode`.
 */
export function opensWebSocket(headers: HeaderSource): boolean {
  return (
    headers.get('sec-websocket-key') !== null ||
    headers.get('sec-fetch-mode') === 'websocket' ||
    headers.get('upgrade')?.toLowerCase() === 'websocket'
  )
}

/** Whether the browser says that a page of `origin` sent it. What says nothing is not taken for one that does. */
export function isFromOrigin(headers: HeaderSource, origin: string): boolean {
  const site = headers.get('sec-fetch-site')
  return site === null ? headers.get('origin') === origin : site === 'same-origin'
}
