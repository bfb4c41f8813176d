import { html } from 'hono/html'
import type { CategoryWithCounts } from '../categories.ts'
import type { PersonOf } from '../people.ts'
import type { SearchResult } from '../search.ts'
import { type Html, pager } from './layout.ts'
import { categoryBadge, type Tab, tabsNav, tagBadge } from './topic-list-page.ts'
import { postList } from './user-pages.ts'

/** What a search has found. */
export function searchPage(model: {
  readonly query: string
  readonly result: SearchResult
  readonly personOf: PersonOf
  readonly page: number
  readonly now: number
}): Html {
  const { result, query } = model
  return html`<h1>Search</h1>
${
  query.trim() === ''
    ? html`<p class="empty">Type words into the box above. <code>@name</code> finds what somebody wrote, <code>topic:12</code> looks in one topic.</p>`
    : result.hits.length === 0
      ? html`<p class="empty">Nothing holds all of <q><bdi>${query}</bdi></q>.</p>`
      : postList(result.hits, model.personOf, model.now)
}
${pager(model.page, {
  first: 0,
  hasMore: result.hasMore,
  path: (page) => `/search?q=${encodeURIComponent(query)}&page=${page}`,
})}`
}

/** All categories. */
export function categoriesPage(categories: readonly CategoryWithCounts[], tabs: readonly Tab[]): Html {
  return html`<div class="page-head"><h1 class="hidden">Categories</h1>${tabsNav(tabs, 'Categories')}</div>
<ul class="cards">${categories.map(
    (category) => html`<li class="card">
<h3>${categoryBadge(category)}</h3>
${category.description === '' ? '' : html`<p class="excerpt">${category.description}</p>`}
<p class="meta"><span>${category.topicCount} ${category.topicCount === 1 ? 'topic' : 'topics'}</span><span>${category.postCount} ${category.postCount === 1 ? 'post' : 'posts'}</span></p>
</li>`,
  )}</ul>`
}

/** All tags, with how many topics have each. */
export function tagsPage(
  tags: readonly { readonly name: string; readonly count: number }[],
  tabs: readonly Tab[],
): Html {
  return html`<div class="page-head"><h1 class="hidden">Tags</h1>${tabsNav(tabs, undefined)}</div>
${
  tags.length === 0
    ? html`<p class="empty">No topic has a tag yet.</p>`
    : html`<ul class="cards">${tags.map(
        (tag) =>
          html`<li class="card"><p class="meta">${tagBadge(tag.name)}<span>${tag.count} ${tag.count === 1 ? 'topic' : 'topics'}</span></p></li>`,
      )}</ul>`
}`
}
