/**
 * Whether a request has a body, told by its headers wherever they tell: to ask the request itself is, on some servers,
 * to begin reading.
 */
export function hasBody(request: Request): boolean {
  const { method, headers } = request
  if (method === 'GET' || method === 'HEAD') return false
  if (headers.has('transfer-encoding')) return true
  const length = headers.get('content-length')
  return length === null ? request.body !== null : Number(length) !== 0
}

/** The texts of a form by name; a name that came more than once has a list of them. */
export function formParameters(form: Iterable<[string, unknown]>): Readonly<Record<string, unknown>> {
  const parameters = new Map<string, unknown>()
  for (const [name, value] of form) {
    if (typeof value !== 'string') continue
    const before = parameters.get(name)
    const list: readonly unknown[] = Array.isArray(before) ? before : [before]
    parameters.set(name, before === undefined ? value : [...list, value])
  }
  return Object.fromEntries(parameters)
}
