import { html } from 'hono/html'
import type { CategoryRow, TopicRow } from '../schema.ts'
import type { TopicListView } from '../topic-views.ts'
import { avatar, type Html, pager, timeTag } from './layout.ts'

/** A link to another list, with how many topics wait in it. */
export interface Tab {
  readonly name: string
  readonly path: string
  readonly count: number
}

/** What a page with a list of topics shows. */
export interface TopicListPageModel {
  /** Undefined for the lists that the tabs stand for. */
  readonly heading: string | undefined
  readonly description: string
  /** The tab that is open; undefined when none is. */
  readonly tab: string | undefined
  readonly tabs: readonly Tab[]
  readonly view: TopicListView
  readonly categories: readonly CategoryRow[]
  readonly newTopicPath: string | undefined
  readonly page: number
  readonly hasMore: boolean
  readonly pathOfPage: (page: number) => string
  /** What to say when there is none. */
  readonly empty: string
  readonly now: number
}

/** A list of topics: what they are about, who began them, how many replied, who was last. */
export function topicListPage(model: TopicListPageModel): Html {
  const { view, now } = model
  return html`<div class="page-head">
${
  model.heading === undefined
    ? html`<h1 class="hidden">Topics</h1>`
    : html`<div><h1><bdi>${model.heading}</bdi></h1>${model.description === '' ? '' : html`<p class="lead">${model.description}</p>`}</div>`
}
${tabsNav(model.tabs, model.tab)}
${model.newTopicPath === undefined ? '' : html`<a class="button primary" href="${model.newTopicPath}">New topic</a>`}
</div>
${
  view.topics.length === 0
    ? html`<p class="empty">${model.empty}</p>`
    : html`<ol class="topics">${view.topics.map((topic) => topicRow(topic, view, model.categories, now))}</ol>`
}
${pager(model.page, { first: 0, hasMore: model.hasMore, path: model.pathOfPage })}`
}

/** The links between lists; `current` is the name of the one that is open, if it is among them. */
export function tabsNav(tabs: readonly Tab[], current: string | undefined): Html {
  if (tabs.length === 0) return html``
  return html`<nav class="tabs" aria-label="Lists">${tabs.map(
    (tab) =>
      html`<a href="${tab.path}"${current === tab.name ? html` aria-current="page"` : ''}>${tab.name}${
        tab.count === 0 ? '' : html` <span class="count">${tab.count > 99 ? '99+' : tab.count}</span>`
      }</a>`,
  )}</nav>`
}

/** The mark of a category: its colour and its name, as a link. */
export function categoryBadge(category: CategoryRow): Html {
  return html`<a class="category" href="/c/${category.slug}/${category.id}"><svg viewBox="0 0 8 8" width="8" height="8" aria-hidden="true"><rect width="8" height="8" rx="2" fill="#${category.color}"/></svg><bdi>${category.name}</bdi></a>`
}

/** The mark of a tag, as a link. */
export function tagBadge(tag: string): Html {
  return html`<a class="tag" href="/tag/${encodeURIComponent(tag)}"><bdi>${tag}</bdi></a>`
}

function topicRow(
  topic: TopicRow,
  view: TopicListView,
  categories: readonly CategoryRow[],
  now: number,
): Html {
  const author = view.personOf(topic.user_id).username
  const last = view.personOf(topic.last_poster_id).username
  const category = categories.find((one) => one.id === topic.category_id)
  const replies = topic.posts_count - 1
  const lastRead = view.lastRead.get(topic.id)
  const unread = lastRead === undefined ? 0 : topic.highest_post_number - lastRead
  const path = `/t/${topic.slug}/${topic.id}`
  return html`<li class="topic-row">
${avatar(author, 40)}
<div class="topic-main">
<h2>${topic.pinned === 1 ? html`<span class="state">Pinned</span>` : ''}${topic.closed === 1 ? html`<span class="state">Closed</span>` : ''}<a href="${
    unread > 0 ? `${path}/${(lastRead ?? 0) + 1}` : path
  }"><bdi>${topic.title}</bdi></a>${unread > 0 ? html` <span class="count" title="${unread} unread">${unread}</span>` : ''}</h2>
<p class="meta">${category === undefined ? '' : categoryBadge(category)}${(view.tags.get(topic.id) ?? []).map(tagBadge)}<span>by <a href="/u/${encodeURIComponent(author)}"><bdi>${author}</bdi></a></span></p>
</div>
<div class="topic-replies"><b>${replies}</b> ${replies === 1 ? 'reply' : 'replies'}</div>
<div class="topic-activity"><a href="${path}/${topic.highest_post_number}">${timeTag(topic.last_posted_at, now)}</a><span class="last-poster">${avatar(last, 20)}<bdi>${last}</bdi></span></div>
</li>`
}
