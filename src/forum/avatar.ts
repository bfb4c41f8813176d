/**
 * A picture for a user who has none: the first letter of the username on a colour that is always the same for them,
 * as an SVG document. `size` is its width and height in pixels.
 */
export function letterAvatar(username: string, size: number): string {
  const name = username.normalize('NFC')
  const letter = [...name].find((character) => /[\p{L}\p{N}]/u.test(character)) ?? '?'
  let hash = 0
  for (const character of name.toLowerCase()) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360_007
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 48 48">` +
    `<rect width="48" height="48" fill="hsl(${hash % 360} 42% 40%)"/>` +
    `<text x="24" y="25" fill="#fff" font-family="system-ui,sans-serif" font-size="24" font-weight="600" ` +
    `text-anchor="middle" dominant-baseline="central">${letter.toUpperCase()}</text></svg>`
  )
}
