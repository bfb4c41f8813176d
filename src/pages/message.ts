import { type Html, html } from './html.ts'
import { layout } from './layout.ts'

export interface MessageModel {
  readonly siteTitle: string
  /** What happened, in a few words: the heading. */
  readonly title: string
  /** A sentence or two below it. */
  readonly text: string
  /** Where to go next. Default: the front page. */
  readonly action?: { readonly label: string; readonly href: string }
}

/** Something simple to say, such as that somebody is signed out. */
export function messagePage(model: MessageModel): Html {
  const { siteTitle, title, text, action } = model
  const body = html`<section class="pass">
<h1>${title}</h1>
<p>${text}</p>
<p class="actions"><a class="button" href="${action?.href ?? '/'}">${
    action === undefined ? html`Go to <bdi>${siteTitle}</bdi>` : action.label
  }</a></p>
</section>`
  return layout({ siteTitle, title, width: 'narrow' }, body)
}
