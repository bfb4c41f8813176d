import { html } from 'hono/html'
import type { User } from '../domain/user.ts'
import { createCategory, listCategories, pickCategory } from './categories.ts'
import { refuseUnlessStaff } from './editing.ts'
import { feedXml } from './feed.ts'
import { categoriesPage } from './pages/finding-pages.ts'
import { topicListPage } from './pages/topic-list-page.ts'
import { loadPeople } from './people.ts'
import { listPosts } from './posts.ts'
import { refuse, refuseNotFound } from './refused.ts'
import { renderPage } from './render.ts'
import { idIn, json, limitOf, pageOf, rss } from './respond.ts'
import type { CategoryRow } from './schema.ts'
import { readFilterQuery } from './search.ts'
import { topicListJson, viewTopicList } from './topic-views.ts'
import { countUnread, listTopics, type TopicListFilter, topicsPerPage } from './topics.ts'
import { type ForumParts, type ForumRouter, requireViewer, type Visit } from './visit.ts'

/** Lists of topics: `/`, `/latest`, `/new`, `/unread`, `/top`, `/filter`, tags, categories, messages, and their feeds. */
export function addListRoutes(router: ForumRouter, forum: ForumParts): void {
  for (const path of ['/', '/latest'] as const) {
    router.get(path, ({ env: { visit } }) =>
      visit.route.format === 'rss'
        ? latestFeed(forum, { title: 'Latest topics', path: '/latest' }, {})
        : topicList(forum, visit, { tab: 'Latest', path: '/latest', filter: orderIn(visit) }),
    )
  }
  for (const kind of ['new', 'unread'] as const) {
    router.get(`/${kind}`, ({ env: { visit } }) => {
      const viewer = requireViewer(visit)
      const tab = kind === 'new' ? 'New' : 'Unread'
      return topicList(forum, visit, { tab, path: `/${kind}`, filter: { kind, viewer } })
    })
  }
  router.get('/top', ({ env: { visit } }) => topList(forum, visit, visit.parameters.text('period') ?? 'all'))
  router.get('/top/:period', ({ env: { visit }, req }) => topList(forum, visit, req.param('period')))
  router.get('/filter', async ({ env: { visit } }) => {
    const query = visit.parameters.text('q') ?? ''
    const filter = await readFilterQuery(forum.db, forum.directory, query)
    const perPage = limitOf(visit.parameters.number('per_page'), topicsPerPage, 100)
    const path = `/filter?q=${encodeURIComponent(query)}`
    return topicList(forum, visit, { heading: 'Filter', path, filter: filter && { ...filter, perPage } })
  })
  router.get('/topics/private-messages/:username', ({ env: { visit }, req }) =>
    messageList(forum, visit, req.param('username')),
  )
  router.get('/u/:username/messages', ({ env: { visit }, req }) =>
    messageList(forum, visit, req.param('username')),
  )
  router.get('/topics/created-by/:username', async ({ env: { visit }, req }) => {
    const author = await forum.directory.findUserByUsername(req.param('username'))
    if (author === undefined) return refuseNotFound('such user')
    const path = `/topics/created-by/${encodeURIComponent(author.username)}`
    const feed = { title: `Topics by ${author.username}`, path }
    if (visit.route.format === 'rss') return latestFeed(forum, feed, { authorId: author.id })
    return topicList(forum, visit, {
      heading: feed.title,
      path,
      filter: { authorId: author.id, order: 'created' },
    })
  })
  router.get('/tags', async ({ env: { visit } }) => {
    const rows = await forum.db
      .selectFrom('forum_topic_tags')
      .innerJoin('forum_topics', 'forum_topics.id', 'forum_topic_tags.topic_id')
      .select((build) => ['tag', build.fn.countAll<number>().as('topics')])
      .where('deleted_at', 'is', null)
      .groupBy('tag')
      .orderBy('tag')
      .limit(1000)
      .execute()
    const tags = rows.map(({ tag, topics }) => ({
      id: tag,
      text: tag,
      name: tag,
      slug: tag,
      count: Number(topics),
    }))
    return visit.wantsPage && tags.length === 0
      ? topicList(forum, visit, { heading: 'Tags', path: '/tags', filter: undefined })
      : json({ tags, extras: {} })
  })
  for (const path of ['/tag/:tag', '/tags/:tag'] as const) {
    router.get(path, ({ env: { visit }, req }) => {
      const tag = req.param('tag').toLowerCase()
      const here = `/tag/${encodeURIComponent(tag)}`
      if (visit.route.format === 'rss')
        return latestFeed(forum, { title: `Tag ${tag}`, path: here }, { tags: [tag] })
      return topicList(forum, visit, { heading: `Tag: ${tag}`, path: here, filter: { tags: [tag] } })
    })
  }
  addCategoryRoutes(router, forum)
}

function addCategoryRoutes(router: ForumRouter, forum: ForumParts): void {
  router.get('/categories', async ({ env: { visit } }) => {
    const categories = await listCategories(forum.db)
    if (visit.wantsPage) {
      return renderPage(forum, visit, { title: 'Categories' }, () =>
        categoriesPage(
          categories,
          html`<nav class="tabs" aria-label="Lists"><a href="/latest">Latest</a><a href="/top">Top</a><a href="/categories" aria-current="page">Categories</a></nav>`,
        ),
      )
    }
    return json({
      category_list: {
        can_create_category: visit.viewer?.admin ?? false,
        can_create_topic: visit.viewer !== undefined,
        categories: categories.map((category) => categoryJson(category, visit.viewer)),
      },
    })
  })
  router.get('/categories/find', async ({ env: { visit } }) => {
    const ids = new Set(visit.parameters.list('ids'))
    const categories = await listCategories(forum.db)
    return json({
      categories: categories
        .filter((category) => ids.has(String(category.id)))
        .map((category) => categoryJson(category, visit.viewer)),
    })
  })
  const search = async (visit: Visit) => {
    const term = (visit.parameters.text('term') ?? '').toLowerCase()
    const categories = (await listCategories(forum.db)).filter(({ name }) =>
      name.toLowerCase().includes(term),
    )
    return json({
      categories: categories.map((category) => categoryJson(category, visit.viewer)),
      categories_count: categories.length,
    })
  }
  router.get('/categories/search', ({ env: { visit } }) => search(visit))
  router.post('/categories/search', ({ env: { visit } }) => search(visit))
  router.post('/categories', async ({ env: { visit } }) => {
    refuseUnlessStaff(requireViewer(visit))
    const category = await createCategory(forum.db, {
      name: visit.parameters.text('name') ?? '',
      color: visit.parameters.text('color') ?? '0088cc',
      description: visit.parameters.text('description') ?? '',
      now: forum.clock.now(),
    })
    return json({ category: categoryJson({ ...category, topicCount: 0, postCount: 0 }, visit.viewer) })
  })
  router.get('/c/:id/show', async ({ env: { visit }, req }) => {
    const categories = await listCategories(forum.db)
    const category = categories.find((one) => one.id === idIn(req.param('id'), 'category'))
    if (category === undefined) return refuseNotFound(`category ${req.param('id')}`)
    return json({ category: categoryJson(category, visit.viewer) })
  })
  const show = async (visit: Visit, named: string, list: string | undefined) => {
    const category = pickCategory(await listCategories(forum.db), named)
    if (category === undefined) return refuseNotFound(`category ${named.slice(0, 40)}`)
    const path = `/c/${category.slug}/${category.id}`
    const filter = { categoryId: category.id }
    if (visit.route.format === 'rss') return latestFeed(forum, { title: category.name, path }, filter)
    const { name: heading, description } = category
    if (list === 'new' || list === 'unread') {
      const viewer = requireViewer(visit)
      return topicList(forum, visit, {
        heading,
        path: `${path}/l/${list}`,
        filter: { ...filter, kind: list, viewer },
      })
    }
    const order = list === 'top' ? ({ order: 'posts' } as const) : orderIn(visit)
    const suffix = list === undefined ? '' : `/l/${list}`
    return topicList(forum, visit, {
      heading,
      description,
      path: path + suffix,
      category,
      filter: { ...filter, ...order },
    })
  }
  router.get('/c/:slug', ({ env: { visit }, req }) => show(visit, req.param('slug'), undefined))
  router.get('/c/:slug/:id{[0-9]+}', ({ env: { visit }, req }) => show(visit, req.param('id'), undefined))
  router.get('/c/:slug/:id{[0-9]+}/l/:list{latest|new|unread|top}', ({ env: { visit }, req }) =>
    show(visit, req.param('id'), req.param('list')),
  )
}

/** A category by the wire's names. */
export function categoryJson(
  category: CategoryRow & { readonly topicCount: number; readonly postCount: number },
  viewer: User | undefined,
): Record<string, unknown> {
  return {
    id: category.id,
    name: category.name,
    slug: category.slug,
    color: category.color,
    text_color: 'FFFFFF',
    description: category.description,
    description_text: category.description,
    description_excerpt: category.description,
    position: category.position,
    topic_count: category.topicCount,
    post_count: category.postCount,
    topic_url: null,
    read_restricted: false,
    permission: viewer === undefined ? null : 1,
    can_edit: viewer?.admin ?? false,
    notification_level: 1,
    parent_category_id: null,
    has_children: false,
    subcategory_ids: [],
    subcategory_list: [],
  }
}

interface TopicListPlan {
  /** The path of the list, without `page`; may have a query. */
  readonly path: string
  readonly tab?: string
  readonly heading?: string
  readonly description?: string
  readonly category?: CategoryRow
  /** Undefined for a list that can hold nothing. */
  readonly filter: Omit<TopicListFilter, 'page' | 'now'> | undefined
}

async function topicList(forum: ForumParts, visit: Visit, plan: TopicListPlan): Promise<Response> {
  const page = pageOf(visit, 0)
  const now = forum.clock.now()
  const { viewer } = visit
  const { topics, hasMore } =
    plan.filter === undefined
      ? { topics: [], hasMore: false }
      : await listTopics(forum.db, { ...plan.filter, page, now })
  const view = await viewTopicList(forum, topics, viewer)
  const pathOfPage = (one: number) => `${plan.path}${plan.path.includes('?') ? '&' : '?'}page=${one}`
  if (!visit.wantsPage) {
    const perPage = plan.filter?.perPage ?? topicsPerPage
    return json(topicListJson(view, { viewer, moreUrl: hasMore ? pathOfPage(page + 1) : undefined, perPage }))
  }
  const counts = viewer === undefined ? { new: 0, unread: 0 } : await countUnread(forum.db, viewer, now)
  const tabs = [
    { name: 'Latest', path: '/latest', count: 0 },
    ...(viewer === undefined
      ? []
      : [
          { name: 'New', path: '/new', count: counts.new },
          { name: 'Unread', path: '/unread', count: counts.unread },
        ]),
    { name: 'Top', path: '/top', count: 0 },
    { name: 'Categories', path: '/categories', count: 0 },
  ]
  const isFront = visit.route.path === '/'
  const isMessages = plan.filter?.kind === 'messages'
  const newTopicPath = isMessages
    ? undefined
    : plan.category === undefined
      ? '/new-topic'
      : `/new-topic?category=${plan.category.id}`
  const categories = await listCategories(forum.db)
  return renderPage(
    forum,
    visit,
    {
      title: isFront ? '' : (plan.heading ?? plan.tab ?? ''),
      feed: plan.category === undefined ? '/latest.rss' : `${plan.path}.rss`,
    },
    () =>
      topicListPage({
        heading: plan.heading,
        description: plan.description ?? '',
        tab: plan.tab,
        tabs: isMessages ? [] : tabs,
        view,
        categories,
        newTopicPath,
        page,
        hasMore,
        pathOfPage,
        empty: emptyTexts.get(plan.tab ?? '') ?? (isMessages ? 'No messages yet.' : 'No topics here yet.'),
        now,
      }),
  )
}

const emptyTexts: ReadonlyMap<string, string> = new Map([
  ['New', 'Nothing new: you have opened every topic of the last two days.'],
  ['Unread', 'You are up to date.'],
])

function topList(forum: ForumParts, visit: Visit, period: string): Promise<Response> {
  const days = periods.get(period)
  if (days === undefined) {
    const expected = [...periods.keys()].join(', ')
    return refuse('parameter_invalid', { field: 'period', problem: 'there is no such period', expected })
  }
  const activeSince = days === null ? {} : { activeSince: forum.clock.now() - days * 86_400_000 }
  const path = period === 'all' ? '/top' : `/top?period=${period}`
  return topicList(forum, visit, { tab: 'Top', path, filter: { order: 'posts', ...activeSince } })
}

/** In days; null for all time. */
const periods: ReadonlyMap<string, number | null> = new Map([
  ['all', null],
  ['yearly', 365],
  ['quarterly', 91],
  ['monthly', 30],
  ['weekly', 7],
  ['daily', 1],
])

async function messageList(forum: ForumParts, visit: Visit, username: string): Promise<Response> {
  const viewer = requireViewer(visit)
  if (viewer.username.toLowerCase() !== username.toLowerCase()) {
    return refuse('not_permitted', {
      problem: 'these are somebody else’s messages',
      remedy: 'ask for your own',
    })
  }
  const path = `/u/${encodeURIComponent(viewer.username)}/messages`
  return topicList(forum, visit, { heading: 'Messages', path, filter: { kind: 'messages', viewer } })
}

function orderIn(visit: Visit): Pick<TopicListFilter, 'order' | 'ascending'> {
  const order = visit.parameters.text('order')
  const ascending = visit.parameters.flag('ascending')
  if (order === 'created' || order === 'posts' || order === 'activity') return { order, ascending }
  return {}
}

async function latestFeed(
  forum: ForumParts,
  feed: { readonly title: string; readonly path: string },
  filter: Omit<TopicListFilter, 'page' | 'now'>,
): Promise<Response> {
  const { topics } = await listTopics(forum.db, {
    ...filter,
    order: 'created',
    perPage: 25,
    page: 0,
    now: forum.clock.now(),
  })
  const personOf = await loadPeople(
    forum.directory,
    topics.map((topic) => topic.user_id),
  )
  const items = await Promise.all(
    topics.map(async (topic) => {
      const [first] = await listPosts(forum.db, { topicId: topic.id, kind: 'topics', limit: 1 })
      return {
        title: topic.title,
        link: `${forum.baseUrl}/t/${topic.slug}/${topic.id}`,
        author: personOf(topic.user_id).username,
        html: first?.post.cooked ?? '',
        at: topic.created_at,
      }
    }),
  )
  const { title } = forum.hallpass.settings()
  return rss(
    feedXml(
      {
        title: `${feed.title} · ${title}`,
        description: `Topics on ${title}`,
        link: `${forum.baseUrl}${feed.path}`,
        self: `${forum.baseUrl}${feed.path}.rss`,
      },
      items,
    ),
  )
}
