/** What becomes of a user's keys: their list, revocation and its undoing (protocol §8). */
import { restoreUserApiKey, revokeUserApiKey } from '../domain/user-api-keys.ts'
import { appsPage } from '../pages/apps.ts'
import { appsPath } from '../pages/paths.ts'
import { refusal } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { page, redirect, refused, success } from './answer.ts'
import { scopesForPage } from './granted-scopes.ts'
import { localPath } from './local-path.ts'
import { actorOf, type Call, type Router, routesOf, type Service } from './service.ts'
import { sendToSignIn } from './sign-in-first.ts'

export function addKeyRoutes(router: Router, service: Service): void {
  const route = routesOf(router, service)
  route('POST', '/user-api-key/revoke', { who: 'user' }, (call) => change(service, call, revokeUserApiKey))
  route('POST', '/user-api-key/undo-revoke', { who: 'user' }, (call) =>
    change(service, call, restoreUserApiKey),
  )
  route('GET', appsPath, { who: 'anyone' }, (call) => showApps(service, call))
  route('GET', '/u/:username/preferences/apps', { who: 'anyone' }, (call) => showApps(service, call))
}

async function change(service: Service, call: Call, verb: typeof revokeUserApiKey): Promise<Response> {
  const { visit, identity } = call
  const { title } = service.domain.settings.current()
  if (!identity) return refused(visit, refusal('not_signed_in'), title)
  const read = readParameters(call.sources, { id: { limit: 20, digits: true }, redirect: { limit: 2000 } })
  if (read.outcome === 'refused') return refused(visit, read.refusal, title)
  const own = identity.via === 'user_api_key' ? identity.key.id : undefined
  const id = read.values.id === undefined ? own : rowId(read.values.id)
  // Undoing needs to be told which key: one that asks for itself is not revoked (protocol §8.3).
  if (id === undefined || (read.values.id === undefined && verb === restoreUserApiKey)) {
    const what = read.values.id === undefined ? 'user API key: none was named' : 'such user API key'
    return refused(visit, refusal('not_found', { what }), title)
  }
  const outcome = await verb(service.domain, actorOf(call), id, identity)
  if (outcome.outcome === 'refused') return refused(visit, outcome.refusal, title)
  return visit.asksForPage ? redirect(localPath(read.values.redirect) ?? appsPath) : success()
}

async function showApps(service: Service, { visit, identity }: Call): Promise<Response> {
  const { domain } = service
  if (identity?.via !== 'session') {
    return sendToSignIn(service, visit, appsPath)
  }
  const { user } = identity
  // The protocol's address of this page names a user; everybody sees their own.
  if (visit.route.path !== appsPath && visit.route.path !== `/u/${user.username}/preferences/apps`) {
    return redirect(appsPath)
  }
  const keys = await domain.store.userApiKeys.listByUser(user.id)
  const csrf = service.visitors.csrf(visit.request)
  const html = appsPage({
    siteTitle: domain.settings.current().title,
    user: { username: user.username, name: user.name },
    csrfToken: csrf.token,
    ...(service.signOutPath === undefined ? {} : { signOutAction: service.signOutPath }),
    now: domain.clock.now(),
    apps: keys.map((key) => ({
      id: key.id,
      applicationName: key.client.applicationName,
      clientId: key.client.clientId,
      scopes: scopesForPage(domain.scopes, key.scopes),
      createdAt: key.createdAt,
      lastUsedAt: key.lastUsedAt,
      useCount: key.useCount,
      expiresAt: key.expiresAt,
      revokedAt: key.revokedAt,
    })),
  })
  const response = page(html)
  if (csrf.setCookie) response.headers.append('set-cookie', csrf.setCookie)
  return response
}

function rowId(text: string): number | undefined {
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : undefined
}
