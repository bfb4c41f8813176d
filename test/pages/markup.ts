/** A small reader of our own markup for tests. It knows only what our pages are made of. */

export interface Tag {
  readonly tag: string
  readonly closing: boolean
  readonly attributes: Readonly<Record<string, string>>
}

export const voidElements: ReadonlySet<string> = new Set(['meta', 'link', 'input', 'img', 'br', 'hr'])

/** The page's tags in their order. */
export function elements(page: string): readonly Tag[] {
  return [...page.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:\s+[^\s=>/"]+(?:="[^"]*")?)*)\s*\/?>/g)].map(
    ([, slash, tag = '', attributes = '']) => ({
      tag,
      closing: slash === '/',
      attributes: Object.fromEntries(
        [...attributes.matchAll(/([^\s=>/"]+)(?:="([^"]*)")?/g)].map(([, name = '', value = '']) => [
          name,
          unescaped(value),
        ]),
      ),
    }),
  )
}

/** The levels of the page's headings in their order. */
export function headings(page: string): readonly number[] {
  return elements(page)
    .filter(({ tag, closing }) => !closing && /^h[1-6]$/.test(tag))
    .map(({ tag }) => Number(tag.slice(1)))
}

/** What a person reads, with single spaces. */
export function textOf(page: string): string {
  const body = page.slice(page.indexOf('<body'))
  return unescaped(body.replace(/<[^>]+>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
}

/** The hidden fields of the page's form that posts to `action`, as pairs. */
export function hiddenFields(page: string, action: string): readonly (readonly [string, string])[] {
  const form = (page.match(/<form[\s\S]*?<\/form>/g) ?? []).find((each) =>
    each.includes(`action="${action}"`),
  )
  return elements(form ?? '')
    .filter(({ tag, attributes }) => tag === 'input' && attributes.type === 'hidden')
    .map(({ attributes }) => [attributes.name ?? '', attributes.value ?? ''] as const)
}

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
