import type { User } from '../domain/user.ts'
import { listCategories } from './categories.ts'
import { feedXml } from './feed.ts'
import { type Tab, topicListPage } from './pages/topic-list-page.ts'
import { loadPeople } from './people.ts'
import { listPosts } from './posts.ts'
import { renderPage } from './render.ts'
import { json, pageOf, rss } from './respond.ts'
import type { CategoryRow } from './schema.ts'
import { topicListJson, viewTopicList } from './topic-views.ts'
import { countUnread, listTopics, type TopicListFilter, topicsPerPage } from './topics.ts'
import type { ForumParts, Visit } from './visit.ts'

/** What a list of topics is, whether it is asked for as a page or as JSON. */
export interface TopicListPlan {
  /** The path of the list, without `page`; may have a query. */
  readonly path: string
  readonly tab?: string
  readonly heading?: string
  readonly description?: string
  readonly category?: CategoryRow
  /** Undefined for a list that can hold nothing. */
  readonly filter: Omit<TopicListFilter, 'page' | 'now'> | undefined
}

/** Answers with one page of a list of topics: JSON, or a page for a browser. */
export async function topicList(forum: ForumParts, visit: Visit, plan: TopicListPlan): Promise<Response> {
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
  const isFront = visit.route.path === '/'
  const isMessages = plan.filter?.kind === 'messages'
  const newTopicPath = isMessages
    ? undefined
    : plan.category === undefined
      ? '/new-topic'
      : `/new-topic?category=${plan.category.id}`
  const categories = await listCategories(forum.db)
  const tabs = isMessages ? [] : await listTabs(forum, viewer)
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
        tabs,
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

/** The lists that every page of lists links to, with how many topics wait in each for `viewer`. */
export async function listTabs(forum: ForumParts, viewer: User | undefined): Promise<readonly Tab[]> {
  const own = viewer && (await countUnread(forum.db, viewer, forum.clock.now()))
  return [
    { name: 'Latest', path: '/latest', count: 0 },
    ...(own === undefined
      ? []
      : [
          { name: 'New', path: '/new', count: own.new },
          { name: 'Unread', path: '/unread', count: own.unread },
        ]),
    { name: 'Top', path: '/top', count: 0 },
    { name: 'Categories', path: '/categories', count: 0 },
  ]
}

/** Answers with the newest topics of a list as a feed. `path` is the list's own path. */
export async function topicFeed(
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

/** The order that the request asks for, if it is one that there is. */
export function orderIn(visit: Visit): Pick<TopicListFilter, 'order' | 'ascending'> {
  const order = visit.parameters.text('order')
  const ascending = visit.parameters.flag('ascending')
  if (order === 'created' || order === 'posts' || order === 'activity') return { order, ascending }
  return {}
}

const emptyTexts: ReadonlyMap<string, string> = new Map([
  ['New', 'Nothing new: you have opened every topic of the last two days.'],
  ['Unread', 'You are up to date.'],
])
