import { html } from 'hono/html'
import type { CategoryRow } from '../schema.ts'
import { textLimits } from '../texts.ts'
import { csrfField, type Html, type Shell } from './layout.ts'
import { problemText } from './topic-page.ts'

/** What the form for a new topic or a new message holds. */
export interface NewTopicPageModel {
  readonly shell: Shell
  readonly categories: readonly CategoryRow[]
  readonly title: string
  readonly raw: string
  readonly tags: string
  readonly categoryId: number | undefined
  /** The names that a personal message goes to; undefined for a public topic. */
  readonly recipients: string | undefined
  /** Why it was not taken the last time. */
  readonly problem: string | undefined
}

/** A form for a new topic, or for a personal message. */
export function newTopicPage(model: NewTopicPageModel): Html {
  const isMessage = model.recipients !== undefined
  return html`<h1>${isMessage ? 'New message' : 'New topic'}</h1>
<form class="editor" method="post" action="/posts">
${csrfField(model.shell)}
${problemText(model.problem)}
${
  isMessage
    ? html`<input type="hidden" name="archetype" value="private_message">
<label for="recipients">To</label>
<input id="recipients" name="target_recipients" value="${model.recipients ?? ''}" required autocomplete="off" spellcheck="false">`
    : ''
}
<label for="title">Title</label>
<input id="title" name="title" value="${model.title}" required minlength="${textLimits.titleMinimum}" maxlength="${textLimits.titleMaximum}" autocomplete="off"${model.title === '' ? html` autofocus` : ''}>
${
  isMessage
    ? ''
    : html`<div class="columns"><div><label for="category">Category</label>
<select id="category" name="category">${categoryOptions(model.categories, model.categoryId)}</select></div>
<div><label for="tags">Tags <span class="hint">optional, parted by commas</span></label>
<input id="tags" name="tags" value="${model.tags}" autocomplete="off" spellcheck="false"></div></div>`
}
<label for="raw">${isMessage ? 'Message' : 'First post'}</label>
<textarea id="raw" name="raw" rows="12" required maxlength="${textLimits.rawMaximum}">${model.raw}</textarea>
<div class="actions"><button class="button primary" type="submit">${isMessage ? 'Send message' : 'Create topic'}</button><a href="/">Cancel</a><span class="hint">Markdown works here. @name tells somebody.</span></div>
</form>`
}

/** A form to change a post. */
export function editPostPage(model: {
  readonly shell: Shell
  readonly id: number
  readonly raw: string
  readonly editReason: string
  readonly back: string
  readonly problem: string | undefined
}): Html {
  return html`<h1>Edit post</h1>
<form class="editor" method="post" action="/posts/${model.id}/edit">
${csrfField(model.shell)}
${problemText(model.problem)}
<label for="raw">Post</label>
<textarea id="raw" name="raw" rows="12" required maxlength="${textLimits.rawMaximum}">${model.raw}</textarea>
<label for="reason">Reason <span class="hint">optional</span></label>
<input id="reason" name="edit_reason" value="${model.editReason}" maxlength="${textLimits.lineMaximum}" autocomplete="off">
<div class="actions"><button class="button primary" type="submit">Save</button><a href="${model.back}">Cancel</a></div>
</form>`
}

/** A form to change a topic. */
export function editTopicPage(model: {
  readonly shell: Shell
  readonly id: number
  readonly title: string
  readonly tags: string
  readonly categories: readonly CategoryRow[]
  readonly categoryId: number | undefined
  /** False for a personal message. */
  readonly isPublic: boolean
  readonly back: string
  readonly problem: string | undefined
}): Html {
  return html`<h1>Edit topic</h1>
<form class="editor" method="post" action="/topics/${model.id}/edit">
${csrfField(model.shell)}
${problemText(model.problem)}
<label for="title">Title</label>
<input id="title" name="title" value="${model.title}" required minlength="${textLimits.titleMinimum}" maxlength="${textLimits.titleMaximum}" autocomplete="off">
${
  model.isPublic
    ? html`<div class="columns"><div><label for="category">Category</label>
<select id="category" name="category_id">${categoryOptions(model.categories, model.categoryId)}</select></div>
<div><label for="tags">Tags <span class="hint">optional, parted by commas</span></label>
<input id="tags" name="tags" value="${model.tags}" autocomplete="off" spellcheck="false"></div></div>`
    : ''
}
<div class="actions"><button class="button primary" type="submit">Save</button><a href="${model.back}">Cancel</a></div>
</form>`
}

/** Asks before a post, or a whole topic, is deleted. */
export function deletePostPage(model: {
  readonly shell: Shell
  readonly id: number
  readonly what: string
  readonly back: string
}): Html {
  return html`<h1>Delete ${model.what}?</h1>
<p>It disappears for everybody. Staff can bring it back.</p>
<form class="editor" method="post" action="/posts/${model.id}/delete">
${csrfField(model.shell)}
<div class="actions"><button class="button danger" type="submit">Delete ${model.what}</button><a href="${model.back}">Keep it</a></div>
</form>`
}

function categoryOptions(categories: readonly CategoryRow[], chosen: number | undefined): Html[] {
  return categories.map(
    (category) =>
      html`<option value="${category.id}"${category.id === chosen ? html` selected` : ''}>${category.name}</option>`,
  )
}
