import { listCategories, pickCategory } from './categories.ts'
import { deleteTopic, editTopic, mayEditTopic, recoverTopic, setTopicStatus } from './editing.ts'
import { feedXml } from './feed.ts'
import { topicPage } from './pages/topic-page.ts'
import { editTopicPage } from './pages/writing-pages.ts'
import { loadPeople } from './people.ts'
import { isoTime, postPath } from './post-json.ts'
import { largestId, listPosts, postsPerPage } from './posts.ts'
import { noteRead } from './reading.ts'
import { RefusedError, refuse, refuseInvalid, refuseNotFound } from './refused.ts'
import { renderPage } from './render.ts'
import { idIn, json, pageOf, rss, seeOther, success } from './respond.ts'
import type { TopicRow } from './schema.ts'
import { escapeHtml, listedTopicJson } from './topic-json.ts'
import { postStreamJson, type TopicSlice, topicViewJson, viewTopic } from './topic-views.ts'
import { findTopic, tagsOf } from './topics.ts'
import { type ForumParts, type ForumRouter, requireViewer, type Visit } from './visit.ts'

/** One topic: `/t/…` and what changes it. */
export function addTopicRoutes(router: ForumRouter, forum: ForumParts): void {
  const find = async (visit: Visit, id: string) => {
    const topicId = idIn(id, 'topic')
    return (await findTopic(forum.db, topicId, visit.viewer)) ?? refuseNotFound(`topic ${topicId}`)
  }

  router.get('/t/:id{[0-9]+}/posts', async ({ env: { visit }, req }) => {
    const topic = await find(visit, req.param('id'))
    const asked = visit.parameters.list('post_ids').map((id) => idIn(id.trim(), 'post'))
    const view = await viewTopic(
      forum,
      topic,
      visit.viewer,
      asked.length > 0 ? { postIds: asked.slice(0, 100) } : { page: pageOf(visit, 1) },
    )
    const includeRaw = visit.parameters.flag('include_raw')
    return json({
      post_stream: postStreamJson(view, { viewer: visit.viewer, includeRaw, withStream: false }),
      id: topic.id,
    })
  })
  const show = async (visit: Visit, id: string, postNumber: string | undefined) => {
    const topic = await find(visit, id)
    if (visit.route.format === 'rss') return topicFeed(forum, topic)
    return showTopic(forum, visit, topic, postNumber)
  }
  router.get('/t/:id{[0-9]+}', ({ env: { visit }, req }) => show(visit, req.param('id'), undefined))
  router.get('/t/:id{[0-9]+}/:number{[0-9]+}', ({ env: { visit }, req }) =>
    show(visit, req.param('id'), req.param('number')),
  )
  router.get('/t/:slug/:id{[0-9]+}', ({ env: { visit }, req }) => show(visit, req.param('id'), undefined))
  router.get('/t/:slug/:id{[0-9]+}/:number{[0-9]+}', ({ env: { visit }, req }) =>
    show(visit, req.param('id'), req.param('number')),
  )

  const edit = async (visit: Visit, id: string) => {
    const editor = requireViewer(visit)
    const changed = await applyEdit(forum, visit, await find(visit, id))
    const tags = (await tagsOf(forum.db, [changed.id])).get(changed.id) ?? []
    const personOf = await loadPeople(forum.directory, [changed.user_id, changed.last_poster_id])
    const listed = listedTopicJson(changed, {
      personOf,
      viewer: editor,
      tags: new Map([[changed.id, tags]]),
      lastRead: new Map(),
    })
    return json({ basic_topic: { ...listed, fancy_title: escapeHtml(changed.title) } })
  }
  router.put('/t/:id{[0-9]+}', ({ env: { visit }, req }) => edit(visit, req.param('id')))
  router.put('/t/:slug/:id{[0-9]+}', ({ env: { visit }, req }) => edit(visit, req.param('id')))
  router.delete('/t/:id{[0-9]+}', async ({ env: { visit }, req }) => {
    const editor = requireViewer(visit)
    await deleteTopic(forum, editor, await find(visit, req.param('id')))
    return success()
  })
  router.put('/t/:id{[0-9]+}/recover', async ({ env: { visit }, req }) => {
    await recoverTopic(forum, requireViewer(visit), idIn(req.param('id'), 'topic'))
    return success()
  })
  router.put('/t/:id{[0-9]+}/status', async ({ env: { visit }, req }) => {
    const editor = requireViewer(visit)
    const topic = await find(visit, req.param('id'))
    const status = visit.parameters.text('status')
    if (status !== 'closed' && status !== 'pinned') {
      return refuse('parameter_invalid', {
        field: 'status',
        problem: 'there is no such status',
        expected: 'closed or pinned',
      })
    }
    await setTopicStatus(forum, editor, topic, status, visit.parameters.flag('enabled'))
    return json({ success: 'OK', topic_status_update: null })
  })
  router.post('/topics/timings', async ({ env: { visit } }) => {
    const viewer = requireViewer(visit)
    const topic = await find(visit, visit.parameters.text('topic_id') ?? '')
    const numbers = visit.parameters
      .under('timings')
      .names()
      .filter((name) => /^\d{1,9}$/.test(name))
      .map(Number)
    const furthest = Math.min(
      numbers.reduce((a, b) => Math.max(a, b), 0),
      topic.highest_post_number,
    )
    if (furthest > 0) await noteRead(forum.db, viewer.id, topic.id, furthest)
    return success()
  })
  addEditForm(router, forum, find)
}

async function showTopic(
  forum: ForumParts,
  visit: Visit,
  topic: TopicRow,
  postNumber: string | undefined,
): Promise<Response> {
  const { viewer, parameters } = visit
  const asked = postNumber === undefined ? undefined : Math.min(Number(postNumber), largestId)
  const slice: TopicSlice = asked === undefined ? { page: pageOf(visit, 1) } : { postNumber: asked }
  const view = await viewTopic(forum, topic, viewer, slice)
  if (!visit.wantsPage) {
    if (view.posts.length === 0) return refuseNotFound(`page ${view.page} of topic ${topic.id}`)
    return json(topicViewJson(view, { viewer, includeRaw: parameters.flag('include_raw') }))
  }
  const path = `/t/${topic.slug}/${topic.id}`
  if (asked !== undefined) return seeOther(`${path}?page=${view.page}#post_${nearest(view.posts, asked)}`)
  if (view.posts.length === 0) return refuseNotFound(`page ${view.page} of this topic`)
  const last = view.posts.at(-1)?.post.post_number ?? 0
  if (viewer !== undefined && visit.request.method === 'GET') {
    // On the last page everything has been read, also the number of a post that was deleted.
    const upTo = view.page === view.pages ? topic.highest_post_number : last
    await noteRead(forum.db, viewer.id, topic.id, upTo)
  }
  return renderPage(forum, visit, { title: topic.title, feed: `${path}.rss` }, (shell) =>
    topicPage({
      shell,
      view,
      viewer,
      replyTo: parameters.number('reply_to'),
      reply: undefined,
      now: forum.clock.now(),
    }),
  )
}

/** The number of the post that stands where `asked` would: it may be gone. */
function nearest(
  posts: readonly { readonly post: { readonly post_number: number } }[],
  asked: number,
): number {
  const numbers = posts.map(({ post }) => post.post_number)
  return numbers.find((number) => number >= asked) ?? numbers.at(-1) ?? 1
}

async function applyEdit(forum: ForumParts, visit: Visit, topic: TopicRow): Promise<TopicRow> {
  const { parameters } = visit
  const asked = parameters.text('category_id') ?? parameters.text('category')
  const named = asked?.trim() === '' ? undefined : asked
  const category = named === undefined ? undefined : pickCategory(await listCategories(forum.db), named)
  if (named !== undefined && category === undefined) {
    return refuseInvalid('category_id', 'there is no such category')
  }
  return editTopic(forum, requireViewer(visit), topic, {
    title: parameters.text('title'),
    categoryId: category?.id,
    tags: parameters.names().includes('tags') ? parameters.list('tags') : undefined,
  })
}

function addEditForm(
  router: ForumRouter,
  forum: ForumParts,
  find: (visit: Visit, id: string) => Promise<TopicRow>,
): void {
  const form = async (visit: Visit, topic: TopicRow, problem: string | undefined) => {
    const categories = await listCategories(forum.db)
    const tags = (await tagsOf(forum.db, [topic.id])).get(topic.id) ?? []
    const { parameters } = visit
    return renderPage(
      forum,
      visit,
      { title: 'Edit topic', status: problem === undefined ? 200 : 422 },
      (shell) =>
        editTopicPage({
          shell,
          id: topic.id,
          title: (problem === undefined ? undefined : parameters.text('title')) ?? topic.title,
          tags: (problem === undefined ? undefined : parameters.text('tags')) ?? tags.join(', '),
          categories,
          categoryId: topic.category_id ?? undefined,
          isPublic: topic.archetype === 'regular',
          back: `/t/${topic.slug}/${topic.id}`,
          problem,
        }),
    )
  }
  router.get('/topics/:id{[0-9]+}/edit', async ({ env: { visit }, req }) => {
    const topic = await find(visit, req.param('id'))
    if (!mayEditTopic(requireViewer(visit), topic)) {
      return refuse('not_permitted', {
        problem: 'the topic is somebody else’s',
        remedy: 'ask its author or staff',
      })
    }
    return form(visit, topic, undefined)
  })
  router.post('/topics/:id{[0-9]+}/edit', async ({ env: { visit }, req }) => {
    requireViewer(visit)
    const topic = await find(visit, req.param('id'))
    try {
      const changed = await applyEdit(forum, visit, topic)
      return seeOther(`/t/${changed.slug}/${changed.id}`)
    } catch (error) {
      if (error instanceof RefusedError && error.refusal.reason === 'record_invalid') {
        return form(visit, topic, error.refusal.message)
      }
      throw error
    }
  })
}

async function topicFeed(forum: ForumParts, topic: TopicRow): Promise<Response> {
  const posts = await listPosts(forum.db, { topicId: topic.id, limit: postsPerPage + 5 })
  const personOf = await loadPeople(
    forum.directory,
    posts.map(({ post }) => post.user_id),
  )
  const path = `/t/${topic.slug}/${topic.id}`
  return rss(
    feedXml(
      {
        title: topic.title,
        description: `Posts of ${isoTime(topic.created_at).slice(0, 10)} and later`,
        link: forum.baseUrl + path,
        self: `${forum.baseUrl}${path}.rss`,
      },
      posts.map((one) => ({
        title: topic.title,
        link: forum.baseUrl + postPath(one),
        author: personOf(one.post.user_id).username,
        html: one.post.cooked,
        at: one.post.created_at,
      })),
    ),
  )
}
