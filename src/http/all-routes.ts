/** Every route of Hallpass, room by room. Where two patterns could answer a path, the one added first does. */
import type { RedirectingSignIn } from '../identity/redirecting-sign-in.ts'
import type { BrowserSessions } from '../identity/sessions.ts'
import type { StartSession } from '../identity/visitors.ts'
import { addAccountRoutes } from './accounts.ts'
import { addActivationRoutes } from './activation.ts'
import { addApiKeyRoutes } from './api-keys.ts'
import { addAuditRoutes } from './audit.ts'
import { addAuthorizationRoutes } from './authorization.ts'
import { addCalendarSubscriptionRoutes } from './calendar-subscriptions.ts'
import { addClientRoutes } from './clients.ts'
import { addDeviceRoutes } from './device.ts'
import { addDiscoveryRoutes } from './discovery.ts'
import { addExternalSignInRoutes } from './external-sign-in.ts'
import { addIntrospectionRoutes } from './introspection.ts'
import { addJobRoutes } from './jobs.ts'
import { addJwksRoutes } from './jwks.ts'
import { addKeyRoutes } from './keys.ts'
import { addLocalSignInRoutes } from './local-sign-in.ts'
import { addMetricsRoutes } from './metrics.ts'
import { addOAuthRoutes } from './oauth.ts'
import { addOneTimePasswordRoutes } from './one-time-passwords.ts'
import { addOneTimeSignInRoutes } from './one-time-sign-in.ts'
import { addPushRoutes } from './push.ts'
import { addRevocationRoutes } from './revocation.ts'
import { addScopeRoutes } from './scopes.ts'
import { createRouter, type Router, type Service } from './service.ts'
import { addSessionRoutes } from './session.ts'
import { addGoAndSignInRoute } from './sign-in-first.ts'
import { addSiteRoutes } from './site.ts'
import { addSettingRoutes } from './site-settings.ts'

export interface WhoSignsIn {
  /** Whether there are local accounts; without any, accounts are the application's own. */
  readonly hasAccounts: boolean
  /** The sessions of local accounts; without any, a browser's visitor is told by somebody else. */
  readonly sessions: BrowserSessions | undefined
  /** The service at which users of local accounts sign in; undefined where they have passwords here alone. */
  readonly externalSignIn: RedirectingSignIn | undefined
  /** What signs a browser in by a one-time password; without it there are no one-time passwords. */
  readonly startSession: StartSession | undefined
}

/** A router with every route that the site has. */
export function createAllRoutes(
  service: Service,
  { hasAccounts, sessions, externalSignIn, startSession }: WhoSignsIn,
): Router {
  const router = createRouter()
  addSiteRoutes(router, service)
  addSessionRoutes(router, service)
  addGoAndSignInRoute(router, service)
  if (sessions) {
    addLocalSignInRoutes(router, service, { sessions, externalSignIn })
    if (externalSignIn) addExternalSignInRoutes(router, service, { method: externalSignIn, sessions })
  }
  if (hasAccounts) addAccountRoutes(router, service)
  addAuthorizationRoutes(router, service)
  addDeviceRoutes(router, service)
  addActivationRoutes(router, service)
  if (startSession) {
    addOneTimePasswordRoutes(router, service)
    addOneTimeSignInRoutes(router, service, startSession)
  }
  addClientRoutes(router, service)
  addOAuthRoutes(router, service)
  addKeyRoutes(router, service)
  addSettingRoutes(router, service)
  addApiKeyRoutes(router, service)
  addPushRoutes(router, service)
  addJobRoutes(router, service)
  addMetricsRoutes(router, service)
  addAuditRoutes(router, service)
  addScopeRoutes(router, service)
  addJwksRoutes(router, service)
  addDiscoveryRoutes(router, service)
  addIntrospectionRoutes(router, service)
  addRevocationRoutes(router, service)
  addCalendarSubscriptionRoutes(router, service)
  return router
}
