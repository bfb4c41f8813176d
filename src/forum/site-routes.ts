import { listCategories } from './categories.ts'
import { categoryJson } from './category-routes.ts'
import { deleteDraft, findDraft, listDrafts, saveDraft } from './drafts.ts'
import { excerptOf } from './markdown.ts'
import { notificationTypes } from './notifications.ts'
import { searchPage } from './pages/finding-pages.ts'
import { avatarTemplate, loadPeople } from './people.ts'
import { isoTime } from './post-json.ts'
import { refuse, refuseNotFound } from './refused.ts'
import { renderPage } from './render.ts'
import { json, limitOf, pageOf, success } from './respond.ts'
import { searchPosts } from './search.ts'
import { textLimits } from './texts.ts'
import { listedTopicJson } from './topic-json.ts'
import { viewTopicList } from './topic-views.ts'
import { readableTopics } from './topics.ts'
import { type ForumParts, type ForumRouter, requireViewer, type Visit } from './visit.ts'

/** The site as a whole: `/site`, `/about`, `/groups`, `/search`, `/drafts`, the message bus. */
export function addSiteRoutes(router: ForumRouter, forum: ForumParts): void {
  router.get('/site', async ({ env: { visit } }) => {
    const categories = await listCategories(forum.db)
    return json({
      default_archetype: 'regular',
      notification_types: notificationTypes,
      post_types: { regular: 1 },
      user_tips: {},
      groups: automaticGroups.map(({ id, name }) => ({ id, name })),
      trust_levels: { newuser: 0, basic: 1, member: 2, regular: 3, leader: 4 },
      archetypes: [
        { id: 'regular', name: 'Regular Topic', options: [] },
        { id: 'private_message', name: 'Personal Message', options: [] },
      ],
      user_fields: [],
      auth_providers: [],
      post_action_types: [],
      topic_flag_types: [],
      filters: ['latest', 'unread', 'new', 'top', 'categories'],
      periods: ['all', 'yearly', 'quarterly', 'monthly', 'weekly', 'daily'],
      top_menu_items: ['latest', 'new', 'unread', 'top', 'categories'],
      anonymous_top_menu_items: ['latest', 'top', 'categories'],
      can_create_tag: true,
      can_tag_topics: true,
      can_tag_pms: false,
      tags_filter_regexp: '[^\\p{L}\\p{N}_.-]+',
      max_tags_per_topic: textLimits.tagsMaximum,
      max_tag_length: textLimits.tagMaximum,
      min_topic_title_length: textLimits.titleMinimum,
      max_topic_title_length: textLimits.titleMaximum,
      max_post_length: textLimits.rawMaximum,
      categories: categories.map((category) => categoryJson(category, visit.viewer)),
    })
  })
  router.get('/about', async () => {
    const settings = forum.hallpass.settings()
    const row = await readableTopics(forum.db, undefined)
      .select((build) => [
        build.fn.countAll<number>().as('topics'),
        build.fn.sum<number>('posts_count').as('posts'),
      ])
      .executeTakeFirst()
    const stats = { topics_count: Number(row?.topics ?? 0), posts_count: Number(row?.posts ?? 0) }
    return json({
      about: {
        title: settings.title,
        description: settings.site_description,
        locale: 'en',
        https: forum.baseUrl.startsWith('https:'),
        stats: { ...stats, topic_count: stats.topics_count, post_count: stats.posts_count },
      },
    })
  })
  router.get('/groups', () =>
    json({ groups: automaticGroups, total_rows_groups: automaticGroups.length, load_more_groups: null }),
  )
  router.get('/search', ({ env: { visit } }) => search(forum, visit))
  router.get('/search/query', ({ env: { visit } }) => search(forum, visit))
  addDraftRoutes(router, forum)
  // The forum announces nothing on the bus; an app that polls it learns that there is no news, and asks again later.
  router.post('/message-bus/*', ({ env: { visit } }) => {
    if (!visit.route.path.endsWith('/poll')) return refuseNotFound('such route')
    requireViewer(visit)
    return json([])
  })
}

/** The groups that everybody is in by what they are (protocol §14), by the wire's names. */
export const automaticGroups: readonly { readonly id: number; readonly name: string }[] = [
  { id: 1, name: 'admins' },
  { id: 2, name: 'moderators' },
  { id: 3, name: 'staff' },
  ...[0, 1, 2, 3, 4].map((level) => ({ id: 10 + level, name: `trust_level_${level}` })),
].map((group) => ({
  ...group,
  full_name: null,
  automatic: true,
  visibility_level: 0,
  mentionable: false,
  messageable: false,
}))

async function search(forum: ForumParts, visit: Visit): Promise<Response> {
  const { viewer, parameters } = visit
  const query = parameters.text('q') ?? parameters.text('term') ?? ''
  // Clients count the pages of a search from 1, and some send 0 for the first.
  const asked = pageOf(visit, 0)
  const page = visit.wantsPage ? asked : Math.max(asked, 1) - 1
  const result = await searchPosts(forum.db, forum.directory, query, { viewer, page })
  const personOf = await loadPeople(
    forum.directory,
    result.hits.map(({ post }) => post.user_id),
  )
  if (visit.wantsPage) {
    const now = forum.clock.now()
    return renderPage(forum, visit, { title: 'Search', query: query.slice(0, 200) }, () =>
      searchPage({ query: query.slice(0, 200), result, personOf, page, now }),
    )
  }
  const topics = [...new Map(result.hits.map(({ topic }) => [topic.id, topic])).values()]
  const view = await viewTopicList(forum, topics, viewer)
  const postIds = result.hits.map(({ post }) => post.id)
  return json({
    posts: result.hits.map(({ post }) => {
      const author = personOf(post.user_id)
      return {
        id: post.id,
        name: author.name,
        username: author.username,
        avatar_template: avatarTemplate(author.username),
        created_at: isoTime(post.created_at),
        like_count: 0,
        blurb: excerptOf(post.cooked, 200),
        post_number: post.post_number,
        topic_id: post.topic_id,
        via_app: post.via_app,
      }
    }),
    topics: topics.map((topic) => listedTopicJson(topic, { ...view, viewer })),
    users: [],
    categories: [],
    tags: [],
    groups: [],
    grouped_search_result: {
      more_posts: null,
      more_users: null,
      more_categories: null,
      term: query,
      search_log_id: null,
      more_full_page_results: result.hasMore ? true : null,
      can_create_topic: viewer !== undefined,
      error: null,
      extra: {},
      post_ids: postIds,
      user_ids: [],
      category_ids: [],
      tag_ids: [],
      group_ids: [],
    },
  })
}

function addDraftRoutes(router: ForumRouter, forum: ForumParts): void {
  router.get('/drafts', async ({ env: { visit } }) => {
    const user = requireViewer(visit)
    const drafts = await listDrafts(forum.db, user, {
      offset: visit.parameters.number('offset') ?? 0,
      limit: limitOf(visit.parameters.number('limit'), 30, 50),
    })
    return json({
      drafts: drafts.map(({ key, sequence, data, createdAt }) => ({
        draft_key: key,
        sequence,
        draft_sequence: sequence,
        data,
        created_at: isoTime(createdAt),
        draft_username: user.username,
        username: user.username,
        avatar_template: avatarTemplate(user.username),
      })),
      no_results_help: '',
    })
  })
  router.get('/drafts/:key', async ({ env: { visit }, req }) => {
    const draft = await findDraft(forum.db, requireViewer(visit), req.param('key'))
    return json({ draft: draft?.data ?? null, draft_sequence: draft?.sequence ?? 0 })
  })
  router.post('/drafts', async ({ env: { visit } }) => {
    const user = requireViewer(visit)
    const { parameters } = visit
    const key = parameters.text('draft_key')
    if (key === undefined) {
      const example = 'draft_key=new_topic&data={"reply":"…"}'
      return refuse('parameters_missing', { missing: 'draft_key', first: 'draft_key', example })
    }
    const data = parameters.text('data') ?? ''
    const sequence = await saveDraft(forum.db, user, { key, data, now: forum.clock.now() })
    return json({ success: 'OK', draft_sequence: sequence })
  })
  router.delete('/drafts/:key', async ({ env: { visit }, req }) => {
    await deleteDraft(forum.db, requireViewer(visit), req.param('key'))
    return success()
  })
}
