/**
 * A small forum: the site that Hallpass guards when it is given no other, and the worked example of how a site uses
 * it. It knows Hallpass only through what `createHallpass` returns, as any site owner would.
 *
 * Where to start reading: this file receives a request; `visit.ts` decides who sent it; `*-routes.ts` answer it;
 * `posting.ts` and `editing.ts` hold what may be written; `topics.ts`, `posts.ts` and `notifications.ts` read;
 * `*-json.ts` say it to programs and `pages/` to people.
 */
import { Hono } from 'hono'
import { routePath } from 'hono/route'
import { guardStore } from '../domain/guarded-store.ts'
import type { Clock, Connection, Directory } from '../domain/ports.ts'
import type { PushNotification } from '../domain/push.ts'
import { StoreUnavailable } from '../domain/store.ts'
import { traceOf } from '../domain/trace.ts'
import type { User } from '../domain/user.ts'
import { type Refusal, refusal } from '../protocol/errors.ts'
import { normalizeRoute } from '../protocol/route.ts'
import { routeName } from '../protocol/route-name.ts'
import type { Hallpass } from '../server/hallpass.ts'
import type { Database } from '../storage/database.ts'
import { migrate } from '../storage/migrate.ts'
import { isUnavailable } from '../storage/unavailable.ts'
import { answerAsset } from './assets.ts'
import { addBookmarkRoutes } from './bookmark-routes.ts'
import { addCategoryRoutes } from './category-routes.ts'
import { addListRoutes } from './list-routes.ts'
import { addMessageRoutes } from './message-routes.ts'
import { forumMigrations } from './migrations.ts'
import { unreadFields } from './notification-json.ts'
import { addNotificationRoutes } from './notification-routes.ts'
import { countUnreadNotifications } from './notifications.ts'
import { signInPath } from './pages/layout.ts'
import { addPostRoutes } from './post-routes.ts'
import { RefusedError } from './refused.ts'
import { seeOther } from './respond.ts'
import type { ForumTables } from './schema.ts'
import { addSiteRoutes } from './site-routes.ts'
import { addStatusRoutes } from './status-routes.ts'
import { addTopicRoutes } from './topic-routes.ts'
import { addUserRoutes, describeUser } from './user-routes.ts'
import { asksForPage, type ForumEnvironment, type ForumParts, type ForumRouter, receive } from './visit.ts'
import { addFirstTopic } from './welcome.ts'

export interface ForumOptions {
  /** What guards the forum. */
  readonly hallpass: Hallpass
  /** Where the forum keeps its tables, which begin with `forum_`; they are made, or brought up to date, here. */
  readonly database: Database
  /** Who the users are. */
  readonly directory: Directory
  readonly clock: Clock
  /** The address that people and apps reach the forum by, such as `https://forum.example.com`. */
  readonly baseUrl: string
  /**
   * Hears of each notification once it is stored, so that it can be pushed to the user's apps (protocol §9). Nobody waits
   * for it, and what it throws is reported through `onError`: a post is made whether it can be pushed or not.
   */
  readonly onNotification?: (userId: string, notification: PushNotification) => unknown
  /** Further fields of a user's card, such as the apps that they have approved. `viewer` is who asks. */
  readonly userFields?: (user: User, viewer: User | undefined) => Promise<Record<string, unknown>>
  /** Hears of faults of the forum's own, each with the id that its answer names. Default: the error stream. */
  readonly onError?: (error: unknown, requestId: string) => void
}

export interface Forum {
  /** Answers every request to the site: Hallpass's own routes first, then the forum's. Never rejects. */
  fetch(request: Request, connection?: Connection): Promise<Response>
  /** What the site adds to `current_user` in `/session/current.json` (protocol §17). */
  currentUserFields(user: User): Promise<Record<string, unknown>>
  /** A user's card as `/u/NAME.json` shows it to `viewer`, by the wire's names. */
  describeUser(user: User, viewer?: User): Promise<Record<string, unknown>>
}

/** Opens the forum: migrates its tables, and puts a first topic into an empty one. */
export async function createForum(options: ForumOptions): Promise<Forum> {
  const { hallpass, database, directory, clock } = options
  await migrate(database, { name: 'forum', migrations: forumMigrations })
  const report = options.onError ?? reportOnErrorStream
  const forum: ForumParts = {
    db: database.tables<ForumTables>(),
    hallpass,
    directory,
    clock,
    baseUrl: options.baseUrl.replace(/\/+$/, ''),
    notify: (userId, notification) => {
      const told = async () => options.onNotification?.(userId, notification)
      told().catch((error: unknown) => report(error, 'notification'))
    },
    userFields: options.userFields ?? (async () => ({})),
  }
  await addFirstTopic(forum)
  const router = createRouter(forum)
  // Whatever asks the database goes through here, as a whole: no request waits for one that does not answer.
  const { page, unreadOf } = guardStore(
    {
      page: async (request: Request, environment: ForumEnvironment) => router.fetch(request, environment),
      unreadOf: async (user: User) => unreadFields(await countUnreadNotifications(forum.db, user)),
    },
    { timeoutMs: () => hallpass.settings().store_timeout_ms, isUnavailable },
  )

  return {
    async fetch(request, connection) {
      try {
        return (
          (await hallpass.handle(request, connection)) ??
          hallpass.withCors(request, await answer(forum, page, request, connection, report))
        )
      } catch (error) {
        return refuse(hallpass, request, error, report)
      }
    },
    currentUserFields: unreadOf,
    describeUser: (user, viewer) => describeUser(forum, user, viewer),
  }
}

function createRouter(forum: ForumParts): ForumRouter {
  // The router goes by the path that the scope decision was made on, not by a reading of its own.
  const router: ForumRouter = new Hono({
    getPath: (_request, options) => options?.env?.visit.route.path ?? '/',
  })
  router.use(async (context, next) => {
    try {
      await next()
    } finally {
      const pattern = routePath(context, -1)
      if (pattern !== '/*') context.env.routeName = routeName(context.req.method, pattern)
    }
  })
  addListRoutes(router, forum)
  addMessageRoutes(router, forum)
  addCategoryRoutes(router, forum)
  addTopicRoutes(router, forum)
  addPostRoutes(router, forum)
  addUserRoutes(router, forum)
  addBookmarkRoutes(router, forum)
  addStatusRoutes(router, forum)
  addNotificationRoutes(router, forum)
  addSiteRoutes(router, forum)
  router.notFound(() => {
    throw new RefusedError(refusal('not_found', { what: 'such route' }))
  })
  router.onError((error) => {
    throw error
  })
  return router
}

async function answer(
  forum: ForumParts,
  page: (request: Request, environment: ForumEnvironment) => Promise<Response>,
  request: Request,
  connection: Connection | undefined,
  report: (error: unknown, requestId: string) => void,
): Promise<Response> {
  const { pathname } = new URL(request.url)
  const reads = request.method === 'GET' || request.method === 'HEAD'
  if (reads && pathname.startsWith('/forum/')) return answerAsset(pathname)
  const visit = await receive(forum.hallpass, request, connection)
  const environment: ForumEnvironment = { visit }
  const response = await page(request, environment).catch((error: unknown) =>
    refuse(forum.hallpass, request, error, report),
  )
  return forum.hallpass.withCaller(response, visit.identity, environment.routeName ?? 'exceptions/not_found')
}

/** Says why there is no answer: to a browser that only has to sign in, with the way there. */
function refuse(
  hallpass: Hallpass,
  request: Request,
  error: unknown,
  report: (error: unknown, requestId: string) => void,
): Response {
  const refused = toRefusal(request, error, report)
  const signIn = refused.reason === 'not_signed_in' ? signInFor(request) : undefined
  return signIn ?? hallpass.refuse(request, refused)
}

/** Sends a browser that wants a page for somebody signed in to where one signs in, and back; undefined for a program. */
function signInFor(request: Request): Response | undefined {
  const { pathname, search, searchParams } = new URL(request.url)
  const route = normalizeRoute(request.method, pathname)
  if (request.method !== 'GET' || route.outcome !== 'route' || !asksForPage(request, route.route))
    return undefined
  // A key in an address means nothing to a page, and must not be carried into an address of ours.
  const holdsKey = searchParams.has('user_api_key') || searchParams.has('api_key')
  return seeOther(signInPath(holdsKey ? pathname : pathname + search))
}

function toRefusal(
  request: Request,
  error: unknown,
  report: (error: unknown, requestId: string) => void,
): Refusal {
  if (error instanceof RefusedError) return error.refusal
  // Every request meets an outage, which Hallpass tells of itself.
  if (error instanceof StoreUnavailable || isUnavailable(error)) {
    return refusal('store_unavailable', { wait_seconds: 1 })
  }
  const requestId = traceOf(request).id
  report(error, requestId)
  return refusal('internal', { request_id: requestId })
}

function reportOnErrorStream(error: unknown, requestId: string): void {
  console.error(`forum: request ${requestId} failed:`, error)
}
