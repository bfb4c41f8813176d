/** The number of letters to add, leave out or change to make one text of the other (Levenshtein); of long ones, the start counts. */
export function editDistance(one: string, other: string): number {
  const target = [...other.slice(0, longest)]
  let row = Array.from({ length: target.length + 1 }, (_, index) => index)
  for (const [line, letter] of [...one.slice(0, longest)].entries()) {
    const next = [line + 1]
    for (const [column, against] of target.entries()) {
      const changed = (row[column] ?? 0) + (letter === against ? 0 : 1)
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

/** In letters. What people mistype is shorter; the time grows with the square. */
const longest = 64
