import type { ApiKeyScopeDefinition } from './api-key-scope-definition.ts'

/**
 * The protocol's scopes for API keys (§11.7), as far as Hallpass and its forum have routes for them. Within a scope the
 * narrower pattern stands first, because the first that fits decides.
 *
 * A category's id counts in the path alone where the protocol lets it be an ordinary parameter of lists: a list without
 * a category in its path holds the topics of all categories, whatever its query says.
 */
export const builtInApiKeyScopes: readonly ApiKeyScopeDefinition[] = [
  { resource: 'global', action: 'read', routes: [{ methods: ['GET'] }] },
  {
    resource: 'topics',
    action: 'write',
    routes: [{ methods: ['POST'], paths: ['/posts'], params: ['topic_id'] }],
  },
  {
    resource: 'topics',
    action: 'update',
    routes: [
      {
        methods: ['PUT'],
        paths: ['/t/:topic_id{[0-9]+}/status', '/t/:slug/:topic_id{[0-9]+}', '/t/:topic_id{[0-9]+}'],
        params: ['category_id'],
        pathParams: ['topic_id'],
      },
    ],
  },
  {
    resource: 'topics',
    action: 'delete',
    routes: [
      {
        methods: ['DELETE'],
        paths: ['/t/:id{[0-9]+}'],
        pathParams: ['topic_id'],
        aliases: { topic_id: { name: 'id' } },
      },
    ],
  },
  {
    resource: 'topics',
    action: 'recover',
    routes: [{ methods: ['PUT'], paths: ['/t/:topic_id{[0-9]+}/recover'], pathParams: ['topic_id'] }],
  },
  {
    resource: 'topics',
    action: 'read',
    routes: [
      {
        methods: ['GET'],
        paths: [
          '/t/:id{[0-9]+}',
          '/t/:topic_id{[0-9]+}/posts',
          '/t/:topic_id{[0-9]+}/:post_number{[0-9]+}',
          '/t/:slug/:topic_id{[0-9]+}',
          '/t/:slug/:topic_id{[0-9]+}/:post_number{[0-9]+}',
        ],
        pathParams: ['topic_id'],
        aliases: { topic_id: { name: 'id' } },
      },
      // What stands before permits the feed as well; it is named for whoever reads the list. It must not stand first:
      // `/t/99/7.rss` is the feed of topic 99.
      {
        methods: ['GET'],
        formats: ['rss'],
        paths: ['/t/:slug/:topic_id{[0-9]+}'],
        pathParams: ['topic_id'],
      },
    ],
  },
  {
    resource: 'topics',
    action: 'read_lists',
    routes: [
      {
        methods: ['GET'],
        paths: [
          '/latest',
          '/unread',
          '/new',
          '/top',
          '/top/:period',
          '/c/:slug/:category_id{[0-9]+}',
          '/c/:slug/:category_id{[0-9]+}/l/:list',
        ],
        pathParams: ['category_id'],
      },
      { methods: ['GET'], formats: ['rss'], paths: ['/latest'], pathParams: ['category_id'] },
    ],
  },
  {
    resource: 'topics',
    action: 'status',
    routes: [
      {
        methods: ['PUT'],
        paths: ['/t/:topic_id{[0-9]+}/status'],
        params: ['category_id', 'status', 'enabled'],
        pathParams: ['topic_id'],
      },
    ],
  },
  {
    resource: 'posts',
    action: 'edit',
    routes: [{ methods: ['PUT'], paths: ['/posts/:id{[0-9]+}'], pathParams: ['id'] }],
  },
  {
    resource: 'posts',
    action: 'delete',
    routes: [{ methods: ['DELETE'], paths: ['/posts/:id{[0-9]+}'], pathParams: ['id'] }],
  },
  {
    resource: 'posts',
    action: 'recover',
    routes: [{ methods: ['PUT'], paths: ['/posts/:post_id{[0-9]+}/recover'], pathParams: ['post_id'] }],
  },
  { resource: 'posts', action: 'list', routes: [{ methods: ['GET'], paths: ['/posts'] }] },
  { resource: 'tags', action: 'list', routes: [{ methods: ['GET'], paths: ['/tags'] }] },
  { resource: 'categories', action: 'list', routes: [{ methods: ['GET'], paths: ['/categories'] }] },
  {
    resource: 'categories',
    action: 'show',
    routes: [{ methods: ['GET'], paths: ['/c/:id{[0-9]+}/show'], pathParams: ['id'] }],
  },
  {
    resource: 'users',
    action: 'bookmarks',
    routes: [
      {
        methods: ['GET'],
        paths: ['/u/:username/bookmarks', '/users/:username/bookmarks'],
        pathParams: ['username'],
      },
    ],
  },
  {
    resource: 'users',
    action: 'show',
    routes: [{ methods: ['GET'], paths: ['/u/:username', '/users/:username'], pathParams: ['username'] }],
  },
  { resource: 'users', action: 'create', routes: [{ methods: ['POST'], paths: ['/users'] }] },
  {
    resource: 'users',
    action: 'suspend',
    routes: [{ methods: ['PUT'], paths: ['/admin/users/:user_id{[0-9]+}/suspend'], pathParams: ['user_id'] }],
  },
  { resource: 'user_status', action: 'read', routes: [{ methods: ['GET'], paths: ['/user-status'] }] },
  {
    resource: 'user_status',
    action: 'update',
    routes: [{ methods: ['PUT', 'DELETE'], paths: ['/user-status'] }],
  },
  {
    resource: 'search',
    action: 'show',
    routes: [{ methods: ['GET'], paths: ['/search'], params: ['q', 'page'] }],
  },
  {
    resource: 'search',
    action: 'query',
    routes: [
      {
        methods: ['GET'],
        paths: ['/search/query'],
        params: ['term'],
        // The forum searches for `q` when it is there: beside an allowed `term` it could be anything.
        aliases: { term: { name: 'q' } },
      },
    ],
  },
  // Of Hallpass's own: asking what a user API key is (RFC 7662).
  { resource: 'keys', action: 'introspect', routes: [{ methods: ['POST'], paths: ['/oauth/introspect'] }] },
]
