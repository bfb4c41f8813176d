/** An entry of a stream. Its id is `ms-rest`, `ms` by the clock of Redis. */
export interface StreamEntry {
  readonly ms: number
  readonly rest: string
  readonly fields: ReadonlyMap<string, string>
}

/** The answer to XREAD of one stream: null, or `{ stream: [[id, [name, value, …]], …] }`, in either form of RESP. */
export function entriesOf(answer: unknown): readonly StreamEntry[] {
  const streams =
    answer instanceof Map
      ? [...answer.values()]
      : Array.isArray(answer)
        ? answer.map((one) => one[1])
        : Object.values(answer ?? {})
  const entries: unknown = streams[0]
  if (!Array.isArray(entries)) return []
  return entries.flatMap((entry: unknown) => {
    if (!Array.isArray(entry) || !Array.isArray(entry[1])) return []
    const [ms = '', rest = ''] = String(entry[0]).split('-')
    const fields = new Map<string, string>()
    for (let at = 0; at + 1 < entry[1].length; at += 2)
      fields.set(String(entry[1][at]), String(entry[1][at + 1]))
    return [{ ms: Number(ms), rest, fields }]
  })
}
