import type { Kysely } from 'kysely'
import { refuseInvalid } from './refused.ts'
import type { CategoryRow, ForumTables } from './schema.ts'
import { slugOf } from './texts.ts'

/** A category with the number of its topics and posts that are there. */
export interface CategoryWithCounts extends CategoryRow {
  readonly topicCount: number
  readonly postCount: number
}

/** All categories in their order. */
export async function listCategories(db: Kysely<ForumTables>): Promise<readonly CategoryWithCounts[]> {
  const rows = await db.selectFrom('forum_categories').selectAll().orderBy('position').orderBy('id').execute()
  const counts = await db
    .selectFrom('forum_topics')
    .select((build) => [
      'category_id',
      build.fn.countAll<number>().as('topics'),
      build.fn.sum<number>('posts_count').as('posts'),
    ])
    .where('deleted_at', 'is', null)
    .where('archetype', '=', 'regular')
    .groupBy('category_id')
    .execute()
  const countsOf = new Map(counts.map((row) => [row.category_id, row]))
  return rows.map((row) => ({
    ...row,
    topicCount: Number(countsOf.get(row.id)?.topics ?? 0),
    postCount: Number(countsOf.get(row.id)?.posts ?? 0),
  }))
}

/** The category that a client names: by its id, its slug, or its name; the first one when it names none. */
export function pickCategory<C extends CategoryRow>(
  categories: readonly C[],
  named: string | undefined,
): C | undefined {
  if (named === undefined || named.trim() === '') return categories[0]
  const wanted = named.trim().toLowerCase()
  return (
    categories.find((category) => String(category.id) === wanted) ??
    categories.find((category) => category.slug === wanted || category.name.toLowerCase() === wanted)
  )
}

/** How many categories there can be; they are shown in one list. */
const maximumCategories = 200

/** Adds a category. Refuses with 422 a name that is empty, too long or taken, and a colour that is none. */
export async function createCategory(
  db: Kysely<ForumTables>,
  input: {
    readonly name: string
    readonly color: string
    readonly description: string
    readonly now: number
  },
): Promise<CategoryRow> {
  const name = input.name.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  if (name === '' || [...name].length > 50) {
    return refuseInvalid('name', 'a category’s name has 1 to 50 characters')
  }
  if (!/^[0-9a-f]{6}$/i.test(input.color)) {
    return refuseInvalid('color', 'a category’s color is six hexadecimal digits')
  }
  if ([...input.description].length > 1000 || input.description.includes('\0')) {
    return refuseInvalid('description', 'a category’s description has at most 1000 characters')
  }
  const others = await db.selectFrom('forum_categories').selectAll().execute()
  const slug = slugOf(name) === 'topic' ? `category-${others.length + 1}` : slugOf(name)
  if (others.some((other) => other.slug === slug || other.name.toLowerCase() === name.toLowerCase())) {
    return refuseInvalid('name', 'there is a category of that name')
  }
  if (others.length >= maximumCategories) {
    return refuseInvalid('name', `there are ${maximumCategories} categories, and no more can be made`)
  }
  return db
    .insertInto('forum_categories')
    .values({
      name,
      slug,
      color: input.color.toLowerCase(),
      description: input.description,
      position: others.length,
      created_at: input.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}
