/**
 * The name of a route for the header `X-Discourse-Route` (protocol §10.2): `controller/action`, as those who read logs of
 * such sites know it. The controller is the pattern's first word, or the one that stands for it below; the action is
 * its other words, parameters left out: `/session/current` is `session/current`, `/t/:id/posts` is `topics/posts`.
 * Where there are no others the method tells: `index`, `show`, `create`, `update` or `destroy`. Lists of topics are
 * the actions of one controller: `list/latest`.
 *
 * `pattern` is the route's, with `:name` for a parameter.
 */
export function routeName(method: string, pattern: string): string {
  const [prefix = '', controller] =
    controllers.find(([start]) => pattern === start || pattern.startsWith(`${start}/`)) ?? []
  const segments = pattern
    .slice(prefix.length)
    .split('/')
    .filter((segment) => segment !== '')
  const words = segments.filter((segment) => !/^[:*]/.test(segment)).map((word) => word.replaceAll('-', '_'))
  if (controller !== undefined) return `${controller}/${words.join('_') || actionOf(method, segments)}`
  const [first = 'latest', ...others] = words
  if (lists.has(first)) return `list/${first}`
  return `${first}/${others.join('_') || actionOf(method, segments)}`
}

/** The longer ones first, where one begins like another. */
const controllers: readonly (readonly [prefix: string, controller: string])[] = [
  ['/admin/api/keys', 'admin/api'],
  ['/admin/site_settings', 'admin/site_settings'],
  ['/admin/users', 'admin/users'],
  ['/user-api-key', 'user_api_keys'],
  ['/user-api-key-client', 'user_api_key_clients'],
  ['/u', 'users'],
  ['/t', 'topics'],
  ['/c', 'categories'],
  ['/g', 'groups'],
  ['/tag', 'tags'],
]

const lists: ReadonlySet<string> = new Set(['latest', 'new', 'unread', 'top', 'filter', 'read', 'posted'])

function actionOf(method: string, segments: readonly string[]): string {
  const isOne = segments.at(-1)?.startsWith(':') === true
  return (
    { POST: 'create', PUT: 'update', PATCH: 'update', DELETE: 'destroy' }[method] ??
    (isOne ? 'show' : 'index')
  )
}
