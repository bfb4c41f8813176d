import { html, raw } from 'hono/html'
import type { User } from '../../domain/user.ts'
import { mayDeleteTopic, mayEditPost, mayEditTopic } from '../editing.ts'
import type { PostInTopic } from '../posts.ts'
import { textLimits } from '../texts.ts'
import type { TopicView } from '../topic-views.ts'
import { avatar, csrfField, type Html, pager, type Shell, signInPath, timeTag } from './layout.ts'
import { categoryBadge, tagBadge } from './topic-list-page.ts'

/** What the page of a topic shows. */
export interface TopicPageModel {
  readonly shell: Shell
  readonly view: TopicView
  readonly viewer: User | undefined
  /** The post that the reply form answers; undefined for the topic as a whole. */
  readonly replyTo: number | undefined
  /** What was written in the reply form, and why it was not taken; when it is shown again. */
  readonly reply: { readonly raw: string; readonly problem: string } | undefined
  readonly now: number
}

/** A topic: one page of its posts, and a form to reply. */
export function topicPage(model: TopicPageModel): Html {
  const { view, viewer } = model
  const { topic } = view
  const path = `/t/${topic.slug}/${topic.id}`
  return html`<article class="topic">
<header class="topic-head">
<h1>${topic.closed === 1 ? html`<span class="state">Closed</span>` : ''}<bdi>${topic.title}</bdi></h1>
<p class="meta">${view.category === undefined ? '' : categoryBadge(view.category)}${view.tags.map(tagBadge)}${
    topic.archetype === 'private_message'
      ? html`<span>Personal message between ${view.participants.map(
          (user, index) =>
            html`${index === 0 ? '' : ', '}<a href="/u/${encodeURIComponent(user.username)}"><bdi>${user.username}</bdi></a>`,
        )}</span>`
      : ''
  }${mayEditTopic(viewer, topic) ? html`<a href="/topics/${topic.id}/edit">Edit topic</a>` : ''}</p>
</header>
<ol class="posts">${view.posts.map((one) => postItem(one, model, path))}</ol>
${pager(view.page, { first: 1, hasMore: view.page < view.pages, path: (page) => `${path}?page=${page}` })}
${replyForm(model, path)}
</article>`
}

/** Which app wrote a post: its name in quotation marks, isolated, for an app may call itself anything. */
export function viaApp(name: string | null): Html {
  return name === null ? html`` : html`<span class="via">via “<bdi>${name}</bdi>”</span>`
}

function postItem(one: PostInTopic, model: TopicPageModel, path: string): Html {
  const { post, topic } = one
  const author = model.view.personOf(post.user_id)
  const profile = `/u/${encodeURIComponent(author.username)}`
  const editable = mayEditPost(model.viewer, post)
  const deletable = post.post_number === 1 ? mayDeleteTopic(model.viewer, topic) : editable
  return html`<li class="post" id="post_${post.post_number}">
${avatar(author.username, 40)}
<div class="post-main">
<header class="post-head">
<a class="author" href="${profile}"><bdi>${author.username}</bdi></a>
${author.admin ? html`<span class="role">Administrator</span>` : author.moderator ? html`<span class="role">Moderator</span>` : ''}
${viaApp(post.via_app)}
${post.reply_to_post_number === null ? '' : html`<a class="in-reply" href="${path}/${post.reply_to_post_number}">in reply to #${post.reply_to_post_number}</a>`}
<span class="post-when">${post.version > 1 ? html`<span class="edited" title="${post.edit_reason ?? ''}">edited</span> ` : ''}<a href="${path}/${post.post_number}">${timeTag(post.created_at, model.now)}</a></span>
</header>
<div class="cooked">${raw(post.cooked)}</div>
<footer class="post-foot">
${
  topic.closed === 1 || model.viewer === undefined
    ? ''
    : html`<a href="${path}?page=${model.view.page}&amp;reply_to=${post.post_number}#reply" aria-label="Reply to post ${post.post_number}">Reply</a>`
}
${editable ? html`<a href="/posts/${post.id}/edit" aria-label="Edit post ${post.post_number}">Edit</a>` : ''}
${
  deletable && model.shell.csrfToken !== undefined
    ? html`<a href="/posts/${post.id}/delete" aria-label="Delete post ${post.post_number}">Delete</a>`
    : ''
}
</footer>
</div>
</li>`
}

function replyForm(model: TopicPageModel, path: string): Html {
  const { view, shell, viewer, reply } = model
  if (viewer === undefined) {
    return html`<p class="notice" id="reply"><a href="${signInPath(`${path}#reply`)}">Sign in</a> to reply.</p>`
  }
  if (view.topic.closed === 1 && !viewer.admin && !viewer.moderator) {
    return html`<p class="notice" id="reply">This topic is closed and takes no more replies.</p>`
  }
  const target =
    model.replyTo === undefined
      ? undefined
      : view.posts.find(({ post }) => post.post_number === model.replyTo)
  return html`<form class="editor" id="reply" method="post" action="/posts">
${csrfField(shell)}
<input type="hidden" name="topic_id" value="${view.topic.id}">
${target === undefined ? '' : html`<input type="hidden" name="reply_to_post_number" value="${target.post.post_number}">`}
<label for="raw">${
    target === undefined
      ? 'Reply to this topic'
      : html`Reply to <bdi>${view.personOf(target.post.user_id).username}</bdi>, post #${target.post.post_number}`
  }</label>
${problemText(reply?.problem)}
<textarea id="raw" name="raw" rows="6" required maxlength="${textLimits.rawMaximum}"${reply === undefined ? '' : html` aria-invalid="true" aria-describedby="problem" autofocus`}>${reply?.raw ?? ''}</textarea>
<div class="actions"><button class="button primary" type="submit">Reply</button>${
    target === undefined ? '' : html`<a href="${path}?page=${view.page}#reply">Reply to the topic instead</a>`
  }<span class="hint">Markdown works here. @name tells somebody.</span></div>
</form>`
}

/** Why a form was not taken. */
export function problemText(problem: string | undefined): Html {
  return problem === undefined
    ? html``
    : html`<p class="problem" id="problem" role="alert">${capitalize(problem)}.</p>`
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
