import { tagsPage } from './pages/finding-pages.ts'
import { findPerson } from './people.ts'
import { refuse, refuseNotFound } from './refused.ts'
import { renderPage } from './render.ts'
import { json, limitOf } from './respond.ts'
import { readFilterQuery } from './search.ts'
import { listTabs, orderIn, topicFeed, topicList } from './topic-list-response.ts'
import { topicsPerPage } from './topics.ts'
import { type ForumParts, type ForumRouter, requireViewer, type Visit } from './visit.ts'

/** Lists of topics: `/`, `/latest`, `/new`, `/unread`, `/top`, `/filter`, tags, and their feeds. */
export function addListRoutes(router: ForumRouter, forum: ForumParts): void {
  for (const path of ['/', '/latest'] as const) {
    router.get(path, ({ env: { visit } }) =>
      visit.route.format === 'rss'
        ? topicFeed(forum, { title: 'Latest topics', path: '/latest' }, {})
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
  router.get('/topics/created-by/:username', async ({ env: { visit }, req }) => {
    const author = await findPerson(forum.directory, req.param('username'))
    if (author === undefined) return refuseNotFound('such user')
    const path = `/topics/created-by/${encodeURIComponent(author.username)}`
    const feed = { title: `Topics by ${author.username}`, path }
    if (visit.route.format === 'rss') return topicFeed(forum, feed, { authorId: author.id })
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
    if (!visit.wantsPage) return json({ tags, extras: {} })
    const tabs = await listTabs(forum, visit.viewer)
    return renderPage(forum, visit, { title: 'Tags' }, () => tagsPage(tags, tabs))
  })
  for (const path of ['/tag/:tag', '/tags/:tag'] as const) {
    router.get(path, ({ env: { visit }, req }) => {
      const tag = req.param('tag').toLowerCase()
      const here = `/tag/${encodeURIComponent(tag)}`
      if (visit.route.format === 'rss')
        return topicFeed(forum, { title: `Tag ${tag}`, path: here }, { tags: [tag] })
      return topicList(forum, visit, { heading: `Tag: ${tag}`, path: here, filter: { tags: [tag] } })
    })
  }
}

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
