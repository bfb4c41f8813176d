import MarkdownItConstructor, { type MarkdownIt, type StateCore, type Token } from 'markdown-it'
import { quotePlugin } from './markdown-quote.ts'

/** A Markdown parser with the forum's rules: no HTML, no pictures from elsewhere, links that cannot run anything. */
export function createMarkdownIt(): MarkdownIt {
  const markdown = new MarkdownItConstructor({ html: false, linkify: true, breaks: true })
  // `example.com` without a scheme would become a link to http://; a scheme has to be meant.
  markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false })
  markdown.validateLink = isSafeLink
  markdown.use(quotePlugin)
  markdown.core.ruler.push('forum_inline', walkInline)
  markdown.renderer.rules.text = (tokens, index, _options, env) => renderText(markdown, tokens[index], env)
  markdown.renderer.rules.quote_header = (tokens, index) =>
    `<header class="quote-header"><bdi>${markdown.utils.escapeHtml(tokens[index]?.content ?? '')}</bdi></header>\n`
  return markdown
}

const safeSchemes = new Set(['http', 'https', 'mailto'])

/** Lists what is allowed: a list of what is not would have to know every scheme that a browser runs. */
function isSafeLink(url: string): boolean {
  const scheme = /^\s*([^/?#]*?):/.exec(url)?.[1]
  return scheme === undefined || safeSchemes.has(scheme.toLowerCase())
}

const mention =
  /(?<![\p{L}\p{N}_@/.])@([\p{L}\p{N}_](?:[\p{L}\p{N}_.-]{0,58}[\p{L}\p{N}_])?)(?![\p{L}\p{N}_])/gu

/**
 * Goes over the inline tokens once: a picture becomes a link to it, for a page that loads pictures from anywhere tells
 * that place who reads; every link is marked as a stranger's; mentions outside of links are noted.
 */
function walkInline(state: StateCore): void {
  for (const block of state.tokens) {
    if (block.type !== 'inline' || block.children === null) continue
    let linkDepth = 0
    const children: Token[] = []
    for (const token of block.children) {
      if (token.type === 'link_open') {
        linkDepth += 1
        token.attrSet('rel', 'nofollow ugc noopener')
      } else if (token.type === 'link_close') {
        linkDepth -= 1
      } else if (token.type === 'text' && linkDepth === 0) {
        noteMentions(token, state.env.mention)
      }
      if (token.type === 'image') children.push(...imageAsLink(state, token, linkDepth > 0))
      else children.push(token)
    }
    block.children = children
  }
}

function noteMentions(token: Token, note: unknown): void {
  const names = [...token.content.matchAll(mention)].flatMap((match) => match[1] ?? [])
  if (names.length === 0) return
  token.meta = { mentions: true }
  if (typeof note === 'function') for (const name of names) note(name)
}

function imageAsLink(state: StateCore, image: Token, insideLink: boolean): Token[] {
  const text = new state.Token('text', '', 0)
  const address = String(image.attrGet('src') ?? '')
  text.content = image.content === '' ? address : image.content
  if (insideLink) return [text]
  const open = new state.Token('link_open', 'a', 1)
  open.attrs = [
    ['href', address],
    ['rel', 'nofollow ugc noopener'],
  ]
  return [open, text, new state.Token('link_close', 'a', -1)]
}

function renderText(
  markdown: MarkdownIt,
  token: Token | undefined,
  env: Record<string, unknown> | undefined,
): string {
  const escapeHtml = markdown.utils.escapeHtml
  if (token === undefined) return ''
  const usernames = env?.usernames
  if (token.meta === null || !(usernames instanceof Map)) return escapeHtml(token.content)
  let html = ''
  let end = 0
  for (const match of token.content.matchAll(mention)) {
    const username: unknown = usernames.get((match[1] ?? '').toLowerCase())
    if (typeof username !== 'string') continue
    html += escapeHtml(token.content.slice(end, match.index))
    html += `<a class="mention" href="/u/${encodeURIComponent(username)}">@${escapeHtml(username)}</a>`
    end = match.index + match[0].length
  }
  return html + escapeHtml(token.content.slice(end))
}
