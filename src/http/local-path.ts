/**
 * A `redirect` parameter as a path of this site, or undefined for anything that could lead elsewhere: a browser reads
 * `//host` and `/\\host` as addresses of other sites. An absolute address of http or https is taken for its path alone.
 */
export function localPath(text: string | undefined): string | undefined {
  if (text === undefined || /[\\\p{Cc}]/u.test(text)) return undefined
  const base = 'http://this.invalid'
  if (!URL.canParse(text, base)) return undefined
  const { protocol, pathname, search, hash } = new URL(text, base)
  // Only these two have a path that surely begins with a slash: all of `a:https://evil` behind the colon is one.
  if ((protocol !== 'http:' && protocol !== 'https:') || !/^\/(?!\/)/.test(pathname)) return undefined
  return `${pathname}${search}${hash}`
}
