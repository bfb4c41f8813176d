/**
 * A `redirect` parameter as a path of this site, or undefined for anything that could lead elsewhere: a browser reads
 * `//host` and `/\host` as addresses of other sites. An absolute address is taken for its path alone.
 */
export function localPath(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const base = 'http://this.invalid'
  if (!URL.canParse(text, base)) return undefined
  const { pathname, search } = new URL(text, base)
  return pathname.startsWith('//') ? undefined : `${pathname}${search}`
}
