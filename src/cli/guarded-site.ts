/** The site that `hallpass serve` guards: an application behind it, the small forum, or none but Hallpass itself. */

import type { Store } from '../domain/store.ts'
import type { User } from '../domain/user.ts'
import { nodeGateway } from '../edge/gateway.ts'
import { type NodeListeners, webListeners } from '../edge/node-server.ts'
import type { Forum } from '../forum/forum.ts'
import { createHallpass } from '../server/create-hallpass.ts'
import type { Hallpass } from '../server/hallpass.ts'
import type { Database } from '../storage/database.ts'
import type { ServeOptions } from './serve-options.ts'

/** Which site it is: the one place where that is decided. */
export function siteKind({ upstream, forum }: ServeOptions): 'gateway' | 'forum' | 'none' {
  if (upstream !== undefined) return 'gateway'
  return forum ? 'forum' : 'none'
}

/** Opens Hallpass, and the site with it. `address` is the one that people reach it by. */
export async function openGuardedSite(
  database: Database,
  store: Store,
  address: string,
  options: ServeOptions,
): Promise<{ readonly hallpass: Hallpass; readonly listeners: NodeListeners }> {
  const kind = siteKind(options)
  const { baseUrl, upstream, trustedProxies, requireSignIn } = options
  const known = baseUrl === undefined ? {} : { baseUrl }
  // Its pages and what renders its posts are nothing for a server without it to load.
  const small = kind === 'forum' ? await import('../forum/small-forum.ts') : undefined
  // The forum is made with Hallpass, and Hallpass asks it about users; so it asks through this variable.
  let forum: Forum | undefined
  const forumFields = async (user: User) => (await forum?.currentUserFields(user)) ?? {}
  const hallpass = await createHallpass({
    store,
    ...known,
    trustedProxies,
    ...(options.signIn === undefined ? {} : { signIn: options.signIn }),
    allowPrivatePush: options.allowPrivatePush,
    scopes: options.scopes,
    apiKeyScopes: options.apiKeyScopes,
    pinnedSettings: options.pinnedSettings,
    ...(small ? { currentUserFields: forumFields, calendarFeeds: [small.bookmarksCalendar] } : {}),
  })
  if (kind === 'gateway' && upstream !== undefined) {
    return {
      hallpass,
      listeners: nodeGateway(hallpass, { upstream, ...known, trustedProxies, requireSignIn }),
    }
  }
  if (small) {
    forum = await small.createForum({
      hallpass,
      database,
      directory: hallpass.directory,
      clock: { now: () => Date.now() },
      baseUrl: address,
      userFields: async (user, viewer) =>
        viewer?.id === user.id || viewer?.admin ? { user_api_keys: await hallpass.appsOf(user) } : {},
      onNotification: hallpass.pushNotification,
    })
  }
  const site = forum ?? hallpass
  return {
    hallpass,
    listeners: webListeners((request, connection) => site.fetch(request, connection), hallpass),
  }
}
