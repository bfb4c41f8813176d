import { listCategories, pickCategory } from './categories.ts'
import { deletePost, editPost, mayDeleteTopic, mayEditPost, recoverPost } from './editing.ts'
import { feedXml } from './feed.ts'
import { topicPage } from './pages/topic-page.ts'
import { deletePostPage, editPostPage, newTopicPage } from './pages/writing-pages.ts'
import { loadPeople } from './people.ts'
import { postJson, postPath } from './post-json.ts'
import { createMessage, createReply, createTopic, type MadePost } from './posting.ts'
import {
  findPost,
  findPostByNumber,
  listPosts,
  type PostInTopic,
  postsPerPage,
  replyCounts,
} from './posts.ts'
import { RefusedError, refuse, refuseInvalid, refuseNotFound } from './refused.ts'
import { renderPage } from './render.ts'
import { idIn, json, rss, seeOther, success } from './respond.ts'
import { viewTopic } from './topic-views.ts'
import { findTopic } from './topics.ts'
import { type ForumParts, type ForumRouter, requireAuthor, requireViewer, type Visit } from './visit.ts'

/** Posts: `/posts`, and the forms that write them. */
export function addPostRoutes(router: ForumRouter, forum: ForumParts): void {
  const find = async (visit: Visit, id: string) => {
    const postId = idIn(id, 'post')
    return (await findPost(forum.db, postId, visit.viewer)) ?? refuseNotFound(`post ${postId}`)
  }

  router.get('/posts', async ({ env: { visit } }) => {
    const posts = await listPosts(forum.db, {
      limit: postsPerPage,
      ...(visit.parameters.number('before') === undefined
        ? {}
        : { before: visit.parameters.number('before') ?? 0 }),
    })
    return visit.route.format === 'rss'
      ? postsFeed(forum, posts)
      : json({ latest_posts: await postsJson(forum, visit, posts) })
  })
  router.post('/posts', async ({ env: { visit } }) => {
    try {
      const made = await create(forum, visit)
      if (visit.wantsPage) return seeOther(postPath(made))
      const [post] = await postsJson(forum, visit, [made])
      return json(
        visit.parameters.flag('nested_post') ? { action: 'create_post', success: true, post } : post,
      )
    } catch (error) {
      if (visit.wantsPage && error instanceof RefusedError && error.refusal.reason === 'record_invalid') {
        return showAgain(forum, visit, error.refusal.message)
      }
      throw error
    }
  })
  router.get('/posts/:id{[0-9]+}', async ({ env: { visit }, req }) => {
    const post = await find(visit, req.param('id'))
    if (visit.wantsPage) return seeOther(postPath(post))
    return json((await postsJson(forum, visit, [post]))[0])
  })
  router.get('/posts/:id{[0-9]+}/raw', async ({ env: { visit }, req }) =>
    plainText((await find(visit, req.param('id'))).post.raw),
  )
  router.get('/posts/by_number/:topic{[0-9]+}/:number{[0-9]+}', async ({ env: { visit }, req }) => {
    const topic = await findTopic(forum.db, idIn(req.param('topic'), 'topic'), visit.viewer)
    const number = idIn(req.param('number'), 'post')
    const post = topic && (await findPostByNumber(forum.db, topic.id, number))
    if (topic === undefined || post === undefined) return refuseNotFound(`post ${number} in that topic`)
    return json((await postsJson(forum, visit, [{ post, topic }]))[0])
  })
  router.put('/posts/:id{[0-9]+}', async ({ env: { visit }, req }) => {
    const editor = requireViewer(visit)
    const target = await find(visit, req.param('id'))
    const inner = visit.parameters.under('post')
    const edited = await editPost(forum, editor, target, {
      raw: inner.text('raw') ?? visit.parameters.text('raw') ?? '',
      editReason: inner.text('edit_reason') ?? visit.parameters.text('edit_reason'),
    })
    return json({ post: (await postsJson(forum, visit, [edited]))[0] })
  })
  router.delete('/posts/:id{[0-9]+}', async ({ env: { visit }, req }) => {
    const editor = requireViewer(visit)
    await deletePost(forum, editor, await find(visit, req.param('id')))
    return success()
  })
  router.put('/posts/:id{[0-9]+}/recover', async ({ env: { visit }, req }) => {
    const post = await recoverPost(forum, requireViewer(visit), idIn(req.param('id'), 'post'))
    return json((await postsJson(forum, visit, [post]))[0])
  })
  addForms(router, forum, find)
}

async function create(forum: ForumParts, visit: Visit): Promise<MadePost> {
  const author = requireAuthor(visit)
  const { parameters } = visit
  const raw = parameters.text('raw') ?? ''
  const topicId = parameters.number('topic_id')
  if (topicId !== undefined) {
    return createReply(forum, author, { topicId, raw, replyTo: parameters.number('reply_to_post_number') })
  }
  const title = parameters.text('title') ?? ''
  if (parameters.text('archetype') === 'private_message') {
    // `target_usernames` is what clients of before 2020 say.
    const recipients = [...parameters.list('target_recipients'), ...parameters.list('target_usernames')]
    return createMessage(forum, author, { title, raw, recipients })
  }
  const category = pickCategory(await listCategories(forum.db), parameters.text('category'))
  if (category === undefined) return refuseInvalid('category', 'there is no such category')
  return createTopic(forum, author, { title, raw, categoryId: category.id, tags: parameters.list('tags') })
}

async function postsJson(
  forum: ForumParts,
  visit: Visit,
  posts: readonly PostInTopic[],
): Promise<readonly Record<string, unknown>[]> {
  const personOf = await loadPeople(
    forum.directory,
    posts.map(({ post }) => post.user_id),
  )
  return Promise.all(
    posts.map(async (one) => {
      const { topic_id: topicId, post_number: number } = one.post
      const replies = await replyCounts(forum.db, topicId, [number])
      return postJson(one, { personOf, viewer: visit.viewer, replyCount: replies.get(number) ?? 0 })
    }),
  )
}

async function postsFeed(forum: ForumParts, posts: readonly PostInTopic[]): Promise<Response> {
  const personOf = await loadPeople(
    forum.directory,
    posts.map(({ post }) => post.user_id),
  )
  const { title } = forum.hallpass.settings()
  return rss(
    feedXml(
      {
        title: `Latest posts · ${title}`,
        description: `Posts on ${title}`,
        link: forum.baseUrl,
        self: `${forum.baseUrl}/posts.rss`,
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

function plainText(text: string): Response {
  return new Response(text, {
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  })
}

/** The form that was not taken, with what was written in it: nobody should have to write a post twice. */
async function showAgain(forum: ForumParts, visit: Visit, problem: string): Promise<Response> {
  const { parameters, viewer } = visit
  const topicId = parameters.number('topic_id')
  const raw = parameters.text('raw') ?? ''
  if (topicId === undefined) {
    return newTopicForm(forum, visit, problem)
  }
  const topic = await findTopic(forum.db, topicId, viewer)
  if (topic === undefined) return refuseNotFound(`topic ${topicId}`)
  const replyTo = parameters.number('reply_to_post_number')
  const postNumber = replyTo ?? topic.highest_post_number
  const view = await viewTopic(forum, topic, viewer, { postNumber })
  return renderPage(forum, visit, { title: topic.title, status: 422 }, (shell) =>
    topicPage({ shell, view, viewer, replyTo, reply: { raw, problem }, now: forum.clock.now() }),
  )
}

async function newTopicForm(forum: ForumParts, visit: Visit, problem: string | undefined): Promise<Response> {
  const { parameters } = visit
  const isMessage = visit.route.path === '/new-message' || parameters.text('archetype') === 'private_message'
  const categories = await listCategories(forum.db)
  const title = isMessage ? 'New message' : 'New topic'
  return renderPage(forum, visit, { title, status: problem === undefined ? 200 : 422 }, (shell) =>
    newTopicPage({
      shell,
      categories,
      title: parameters.text('title') ?? '',
      raw: parameters.text('raw') ?? parameters.text('body') ?? '',
      tags: parameters.list('tags').join(', '),
      categoryId: pickCategory(categories, parameters.text('category'))?.id,
      recipients: isMessage
        ? [...parameters.list('target_recipients'), ...parameters.list('username')].join(', ')
        : undefined,
      problem,
    }),
  )
}

function addForms(
  router: ForumRouter,
  forum: ForumParts,
  find: (visit: Visit, id: string) => Promise<PostInTopic>,
): void {
  for (const path of ['/new-topic', '/new-message'] as const) {
    router.get(path, ({ env: { visit } }) => {
      requireViewer(visit)
      return newTopicForm(forum, visit, undefined)
    })
  }
  const editForm = (visit: Visit, target: PostInTopic, problem: string | undefined) => {
    const { parameters } = visit
    const { post } = target
    return renderPage(
      forum,
      visit,
      { title: 'Edit post', status: problem === undefined ? 200 : 422 },
      (shell) =>
        editPostPage({
          shell,
          id: post.id,
          raw: (problem === undefined ? undefined : parameters.text('raw')) ?? post.raw,
          editReason: (problem === undefined ? undefined : parameters.text('edit_reason')) ?? '',
          back: postPath(target),
          problem,
        }),
    )
  }
  router.get('/posts/:id{[0-9]+}/edit', async ({ env: { visit }, req }) => {
    const viewer = requireViewer(visit)
    const target = await find(visit, req.param('id'))
    if (!mayEditPost(viewer, target.post)) {
      return refuse('not_permitted', {
        problem: 'the post is somebody else’s',
        remedy: 'ask its author or staff',
      })
    }
    return editForm(visit, target, undefined)
  })
  router.post('/posts/:id{[0-9]+}/edit', async ({ env: { visit }, req }) => {
    const editor = requireViewer(visit)
    const target = await find(visit, req.param('id'))
    try {
      const raw = visit.parameters.text('raw') ?? ''
      await editPost(forum, editor, target, { raw, editReason: visit.parameters.text('edit_reason') })
      return seeOther(postPath(target))
    } catch (error) {
      if (error instanceof RefusedError && error.refusal.reason === 'record_invalid') {
        return editForm(visit, target, error.refusal.message)
      }
      throw error
    }
  })
  router.get('/posts/:id{[0-9]+}/delete', async ({ env: { visit }, req }) => {
    const viewer = requireViewer(visit)
    const target = await find(visit, req.param('id'))
    const isTopic = target.post.post_number === 1
    if (!(isTopic ? mayDeleteTopic(viewer, target.topic) : mayEditPost(viewer, target.post))) {
      return refuse('not_permitted', { problem: 'this cannot be deleted by you', remedy: 'ask staff' })
    }
    return renderPage(forum, visit, { title: 'Delete' }, (shell) =>
      deletePostPage({
        shell,
        id: target.post.id,
        what: isTopic ? 'this topic' : `post #${target.post.post_number}`,
        back: postPath(target),
      }),
    )
  })
  router.post('/posts/:id{[0-9]+}/delete', async ({ env: { visit }, req }) => {
    const editor = requireViewer(visit)
    const target = await find(visit, req.param('id'))
    await deletePost(forum, editor, target)
    return seeOther(target.post.post_number === 1 ? '/' : `/t/${target.topic.slug}/${target.topic.id}`)
  })
}
