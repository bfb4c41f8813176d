/**
 * Whether `text` is `pattern`, where each `*` of the pattern stands for any run of characters, the empty one included,
 * all of which `accepts` (default: any character).
 *
 * Written by hand because a regular expression with several wildcards can be made to backtrack without bound by
 * whoever sends the text. Here each piece between two wildcards is looked for once, from the left, so that the text is
 * gone over once. Taking the leftmost find is enough: whatever a later find would leave to the wildcard before it, the
 * wildcard after it can take.
 */
export function matchWildcard(
  pattern: string,
  text: string,
  accepts: (run: string) => boolean = () => true,
): boolean {
  const pieces = pattern.split('*')
  const first = pieces[0] ?? ''
  const last = pieces[pieces.length - 1] ?? ''
  if (pieces.length === 1) return text === pattern
  if (text.length < first.length + last.length) return false
  if (!text.startsWith(first) || !text.endsWith(last)) return false
  const end = text.length - last.length
  let position = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, position)
    if (found === -1 || found + piece.length > end) return false
    if (!accepts(text.slice(position, found))) return false
    position = found + piece.length
  }
  return accepts(text.slice(position, end))
}
