/** Which documents a site publishes of itself, and where; what stands in them is in `discovery.ts`. */
import { discoveryPaths } from '../protocol/discovery.ts'
import type { Settings } from '../protocol/settings.ts'
import { publishedPreflight } from './published.ts'

export interface PublishedDocument {
  readonly path: string
  /** While it is not, the path is the application's. */
  readonly isOn: (settings: Settings) => boolean
}

export const publishedDocuments: Readonly<Record<keyof typeof discoveryPaths, PublishedDocument>> = {
  hallpass: { path: discoveryPaths.hallpass, isOn: () => true },
  protectedResource: {
    path: discoveryPaths.protectedResource,
    isOn: (settings) => settings.enable_oauth_metadata,
  },
  authorizationServer: { path: discoveryPaths.authorizationServer, isOn: isAuthorizationServer },
}

/** RFC 8414 demands a token endpoint, which the device flow alone brings. */
export function isAuthorizationServer(settings: Settings): boolean {
  return settings.enable_oauth_metadata && settings.enable_oauth_device_flow
}

/** Answers a browser that asks whether a page may read one of the documents; undefined for any other request. */
export function answerDiscoveryPreflight(request: Request, settings: Settings): Response | undefined {
  const asks = request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
  if (!asks) return undefined
  const path = new URL(request.url).pathname.replace(/\.json$/, '')
  const isOurs = Object.values(publishedDocuments).some(
    (document) => document.path === path && document.isOn(settings),
  )
  return isOurs ? publishedPreflight(request) : undefined
}
