import { escapeHtml } from './topic-json.ts'

/** One entry of a feed. */
export interface FeedItem {
  readonly title: string
  /** Absolute. */
  readonly link: string
  /** The name of whoever wrote it. */
  readonly author: string
  /** HTML that is safe to show. */
  readonly html: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** An RSS 2.0 feed (https://www.rssboard.org/rss-specification) as XML. */
export function feedXml(
  channel: {
    readonly title: string
    readonly description: string
    readonly link: string
    readonly self: string
  },
  items: readonly FeedItem[],
): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel>
<title>${xml(channel.title)}</title>
<link>${xml(channel.link)}</link>
<description>${xml(channel.description)}</description>
<atom:link href="${xml(channel.self)}" rel="self" type="application/rss+xml"/>
${items.map(itemXml).join('\n')}
</channel>
</rss>
`
}

function itemXml(item: FeedItem): string {
  return `<item>
<title>${xml(item.title)}</title>
<dc:creator>${xml(item.author)}</dc:creator>
<description>${xml(item.html)}</description>
<link>${xml(item.link)}</link>
<pubDate>${new Date(item.at).toUTCString()}</pubDate>
<guid isPermaLink="true">${xml(item.link)}</guid>
</item>`
}

/** XML 1.0 has no way at all to write most control characters and halves of surrogate pairs (§2.2). */
function xml(text: string): string {
  return escapeHtml(text.toWellFormed().replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, ''))
}
