import { type Kysely, sql } from 'kysely'
import type { Directory } from '../domain/ports.ts'
import type { User } from '../domain/user.ts'
import { listCategories, pickCategory } from './categories.ts'
import { findPerson } from './people.ts'
import { largestId, loadPosts, type PostInTopic } from './posts.ts'
import type { ForumTables } from './schema.ts'
import { fold } from './texts.ts'
import { readableTopics, type TopicListFilter } from './topics.ts'

/** How many hits a page of the search holds. */
const hitsPerPage = 50

/** A page of what a search has found. */
export interface SearchResult {
  readonly hits: readonly PostInTopic[]
  readonly hasMore: boolean
}

/**
 * Finds posts that hold every word of `query`, in their text or in their topic's title, newest first. Among the words
 * may be `@name` or `user:name`, `topic:12` and `category:name`, which narrow the search.
 */
export async function searchPosts(
  db: Kysely<ForumTables>,
  directory: Directory,
  query: string,
  options: { readonly viewer: User | undefined; readonly page: number },
): Promise<SearchResult> {
  const nothing: SearchResult = { hits: [], hasMore: false }
  const words = wordsOf(query)
  if (words.length === 0) return nothing

  let posts = readableTopics(db, options.viewer)
    .innerJoin('forum_posts', 'forum_posts.topic_id', 'forum_topics.id')
    .select('forum_posts.id')
    .where('forum_posts.deleted_at', 'is', null)
  for (const word of words) {
    const [, name, value] = /^(@|user:|topic:|category:|#|order:|in:)(.+)$/.exec(word) ?? []
    if (name === 'order:' || name === 'in:') continue
    if (name === '@' || name === 'user:') {
      const author = await findPerson(directory, (value ?? '').replace(/^@/, ''))
      if (author === undefined) return nothing
      posts = posts.where('forum_posts.user_id', '=', author.id)
    } else if (name === 'topic:') {
      const id = /^\d{1,10}$/.test(value ?? '') ? Number(value) : largestId + 1
      if (id > largestId) return nothing
      posts = posts.where('forum_topics.id', '=', id)
    } else if (name === 'category:' || name === '#') {
      const category = pickCategory(await listCategories(db), value)
      if (category === undefined) return nothing
      posts = posts.where('forum_topics.category_id', '=', category.id)
    } else {
      const pattern = `%${word.replace(/[!%_]/g, '!$&')}%`
      posts = posts.where(
        sql<boolean>`(forum_posts.raw_folded like ${pattern} escape '!' or forum_topics.title_folded like ${pattern} escape '!')`,
      )
    }
  }
  const rows = await posts
    .orderBy('forum_posts.id', 'desc')
    .offset(options.page * hitsPerPage)
    .limit(hitsPerPage + 1)
    .execute()
  const ids = rows.slice(0, hitsPerPage).map((row) => row.id)
  return { hits: await loadPosts(db, ids, options.viewer), hasMore: rows.length > hitsPerPage }
}

/**
 * Reads the query of `/filter`: `category:a`, `tag:b` or `tags:b,c`, `status:open|closed`, `created-by:@name`,
 * `order:activity|created|posts|title` with `-asc`. Undefined when it asks for what cannot exist; other words are let
 * pass, for clients send more of them than this forum has notions.
 */
export async function readFilterQuery(
  db: Kysely<ForumTables>,
  directory: Directory,
  query: string,
): Promise<Omit<TopicListFilter, 'page' | 'now'> | undefined> {
  const filter: Writable<Omit<TopicListFilter, 'page' | 'now'>> = {}
  for (const word of wordsOf(query)) {
    const colon = word.indexOf(':')
    const name = word.slice(0, Math.max(colon, 0))
    const value = word.slice(colon + 1)
    if (name === 'category' || name === 'categories') {
      const category = pickCategory(await listCategories(db), value)
      if (category === undefined) return undefined
      filter.categoryId = category.id
    } else if (name === 'tag' || name === 'tags') {
      filter.tags = [...(filter.tags ?? []), ...value.split(/[,+]/)].slice(0, 5)
    } else if (name === 'created-by') {
      const author = await findPerson(directory, value.replace(/^@/, ''))
      if (author === undefined) return undefined
      filter.authorId = author.id
    } else if (name === 'status') {
      if (value === 'closed') filter.closed = true
      if (value === 'open') filter.closed = false
    } else if (name === 'order') {
      const [, order, ascending] = /^(activity|created|posts|title)(-asc)?$/.exec(value) ?? []
      filter.order = orderNames.get(order ?? '') ?? 'activity'
      filter.ascending = ascending !== undefined
    }
  }
  return filter
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

const orderNames = new Map([
  ['activity', 'activity'],
  ['created', 'created'],
  ['posts', 'posts'],
  ['title', 'title'],
] as const) as ReadonlyMap<string, 'activity' | 'created' | 'posts' | 'title'>

/** At most ten words, each of at most 100 characters: each one costs the database a pass. */
function wordsOf(query: string): readonly string[] {
  return fold(query)
    .split(/[\s\p{Cc}]+/u)
    .filter((word) => word !== '')
    .slice(0, 10)
    .map((word) => word.slice(0, 100))
}
