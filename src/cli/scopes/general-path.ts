/**
 * The route that a path is probably of: segments that look like a number, an identifier or a token become `:id`. What
 * is long is one too, so that no secret of an address is shown.
 */
export function generalPath(path: string): string {
  let number = 0
  return path
    .split('/')
    .map((segment) => {
      if (!isIdentifier(segment)) return segment.replace(/\p{C}/gu, '?')
      number += 1
      return number === 1 ? ':id' : `:id${number}`
    })
    .join('/')
}

function isIdentifier(segment: string): boolean {
  return (
    /^[0-9]+$/.test(segment) ||
    /^\d{4}-\d\d(?:-\d\d)?$/.test(segment) ||
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(segment) ||
    (/^[0-9a-f]{8,}$/i.test(segment) && /[0-9]/.test(segment)) ||
    (segment.length >= 16 && /[0-9]/.test(segment) && /[A-Za-z]/.test(segment)) ||
    segment.includes('@') ||
    segment.length > longestWord
  )
}

/** Names of routes are shorter. */
const longestWord = 40
