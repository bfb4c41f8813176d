import { groupsOf, type User } from '../domain/user.ts'
import { feedXml } from './feed.ts'
import { showNotifications } from './notification-routes.ts'
import { userPage } from './pages/user-pages.ts'
import { avatarTemplate, findPerson, loadPeople, systemUser, wireUserId } from './people.ts'
import { isoTime, postPath, userActionJson } from './post-json.ts'
import { activityOf, listPosts, postsPerPage } from './posts.ts'
import { trackedTopics } from './reading.ts'
import { refuse, refuseNotFound } from './refused.ts'
import { renderPage } from './render.ts'
import { json, limitOf, pageOf, rss, seeOther } from './respond.ts'
import { automaticGroups } from './site-routes.ts'
import { findStatus } from './status-routes.ts'
import { type ForumParts, type ForumRouter, requireSelf, type Visit } from './visit.ts'

/** People and what concerns them: `/u/…`, `/user_actions`. */
export function addUserRoutes(router: ForumRouter, forum: ForumParts): void {
  const find = async (username: string) =>
    (await findPerson(forum.directory, username)) ?? refuseNotFound(`user ${username.slice(0, 60)}`)

  for (const root of ['/u', '/users'] as const) {
    router.get(`${root}/:username`, async ({ env: { visit }, req }) => {
      const user = await find(req.param('username'))
      if (visit.wantsPage) return showUser(forum, visit, user)
      return json({
        user_badges: [],
        badges: [],
        badge_types: [],
        user: await describeUser(forum, user, visit.viewer),
      })
    })
    router.get(`${root}/:username/topic-tracking-state`, async ({ env: { visit }, req }) => {
      const user = requireSelf(visit, await find(req.param('username')))
      const tracked = await trackedTopics(forum.db, user, forum.clock.now())
      return json(
        tracked.map(({ topic, lastReadPostNumber }) => ({
          topic_id: topic.id,
          highest_post_number: topic.highest_post_number,
          last_read_post_number: lastReadPostNumber,
          created_at: isoTime(topic.created_at),
          category_id: topic.category_id,
          notification_level: lastReadPostNumber === null ? null : 2,
          archetype: topic.archetype,
          deleted: false,
        })),
      )
    })
    router.get(`${root}/:username/activity`, async ({ env: { visit }, req }) => {
      const user = await find(req.param('username'))
      return visit.route.format === 'rss'
        ? activityFeed(forum, user)
        : seeOther(`/u/${encodeURIComponent(user.username)}`)
    })
    router.get(`${root}/:username/notifications`, async ({ env: { visit }, req }) =>
      showNotifications(forum, visit, requireSelf(visit, await find(req.param('username')))),
    )
  }
  router.get('/user_actions', async ({ env: { visit } }) => {
    const { parameters } = visit
    const username = parameters.text('username') ?? visit.viewer?.username
    if (username === undefined) {
      const example = '/user_actions.json?username=sam&filter=4,5'
      return refuse('parameters_missing', { missing: 'username', first: 'username', example })
    }
    const user = await find(username)
    const kinds = new Set(parameters.list('filter').map((item) => item.trim()))
    const [topics, replies] = kinds.size === 0 ? [true, true] : [kinds.has('4'), kinds.has('5')]
    if (!topics && !replies) return json({ user_actions: [] })
    const posts = await listPosts(forum.db, {
      userId: user.id,
      ...(topics && replies ? {} : { kind: topics ? 'topics' : 'replies' }),
      offset: parameters.number('offset') ?? 0,
      limit: limitOf(parameters.number('limit'), 30, 100),
    })
    return json({ user_actions: posts.map((one) => userActionJson(one, () => user)) })
  })
}

/** A user as their card shows them, by the wire's names, with the fields that the site adds. */
export async function describeUser(
  forum: ForumParts,
  user: User,
  viewer: User | undefined,
): Promise<Record<string, unknown>> {
  const activity = await activityOf(forum.db, user.id)
  const groups = new Set(groupsOf(user))
  return {
    id: wireUserId(user.id),
    username: user.username,
    name: user.name,
    avatar_template: avatarTemplate(user.username),
    title: null,
    admin: user.admin,
    moderator: user.moderator,
    trust_level: user.trustLevel,
    created_at: isoTime(user.createdAt),
    last_posted_at: activity.lastPostedAt === null ? null : isoTime(activity.lastPostedAt),
    post_count: activity.postCount,
    topic_count: activity.topicCount,
    badge_count: 0,
    can_edit: viewer?.id === user.id,
    can_send_private_message_to_user: viewer !== undefined && viewer.id !== user.id,
    status: (await findStatus(forum.db, user, forum.clock.now())) ?? null,
    groups: automaticGroups.filter((group) => groups.has(String(group.id))),
    ...(await forum.userFields(user, viewer)),
  }
}

async function showUser(forum: ForumParts, visit: Visit, user: User): Promise<Response> {
  const page = pageOf(visit, 0)
  const posts = await listPosts(forum.db, {
    userId: user.id,
    offset: page * postsPerPage,
    limit: postsPerPage + 1,
  })
  const activity = await activityOf(forum.db, user.id)
  const own = visit.viewer?.id === user.id
  const feed = `/u/${encodeURIComponent(user.username)}/activity.rss`
  return renderPage(forum, visit, { title: user.username, feed }, () =>
    userPage({
      user,
      own,
      mayWrite: visit.viewer !== undefined && !own && user.id !== systemUser.id,
      activity,
      posts: posts.slice(0, postsPerPage),
      page,
      hasMore: posts.length > postsPerPage,
      now: forum.clock.now(),
    }),
  )
}

async function activityFeed(forum: ForumParts, user: User): Promise<Response> {
  const posts = await listPosts(forum.db, { userId: user.id, limit: 25 })
  const personOf = await loadPeople(forum.directory, [user.id])
  const path = `/u/${encodeURIComponent(user.username)}`
  return rss(
    feedXml(
      {
        title: `Posts by ${user.username}`,
        description: `What ${user.username} wrote on ${forum.hallpass.settings().title}`,
        link: forum.baseUrl + path,
        self: `${forum.baseUrl}${path}/activity.rss`,
      },
      posts.map((one) => ({
        title: one.topic.title,
        link: forum.baseUrl + postPath(one),
        author: personOf(one.post.user_id).username,
        html: one.post.cooked,
        at: one.post.created_at,
      })),
    ),
  )
}
