import type { Quote } from './markdown-quote.ts'
import { createMarkdownIt } from './markdown-rules.ts'

/** The text of a post, parsed once: what it refers to, and how to render it when those references are resolved. */
export interface ParsedText {
  /** The names after `@`, as written, without repeats, outside of code and links; at most {@link maxMentions}. */
  readonly mentions: readonly string[]
  /** The posts that are quoted with `[quote="name, post:1, topic:2"]`. */
  readonly quotes: readonly Quote[]
  /**
   * The text as HTML. `usernames` maps a mention in lower case to the username that it stands for; a mention that is
   * not in it stays plain text. No markup of the author's own survives, and every link's scheme is http, https or
   * mailto.
   */
  render(usernames: ReadonlyMap<string, string>): string
}

/** How many different people one post can mention; further names stay plain text. */
export const maxMentions = 10

const markdown = createMarkdownIt()

/** Parses Markdown, with line breaks kept as they are written. Never throws. */
export function parseText(raw: string): ParsedText {
  const found = new Map<string, string>()
  const quotes: Quote[] = []
  const environment = {
    mention: (name: string) => {
      if (found.size < maxMentions && !found.has(name.toLowerCase())) found.set(name.toLowerCase(), name)
    },
    quote: (quote: Quote) => {
      if (quotes.length < maxMentions) quotes.push(quote)
    },
  }
  const tokens = markdown.parse(raw, environment)
  return {
    mentions: [...found.values()],
    quotes,
    render: (usernames) => markdown.renderer.render(tokens, markdown.options, { usernames }),
  }
}

/** The beginning of cooked HTML as plain text on one line, at most `length` characters and an ellipsis. */
export function excerptOf(cooked: string, length: number): string {
  const text = cooked
    .replace(/<header class="quote-header">[\s\S]*?<\/header>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (entity) => entities[entity] ?? entity)
    .replace(/\s+/g, ' ')
    .trim()
  const characters = [...text]
  return characters.length <= length ? text : `${characters.slice(0, length).join('').trimEnd()}…`
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}
