import type { Kysely } from 'kysely'
import type { User } from '../domain/user.ts'
import { isoTime } from './post-json.ts'
import { refuseInvalid } from './refused.ts'
import { json, success } from './respond.ts'
import type { ForumTables } from './schema.ts'
import { readLine, readMoment } from './texts.ts'
import { type ForumParts, type ForumRouter, requireViewer } from './visit.ts'

/** What people say they are doing: `/user-status`. */
export function addStatusRoutes(router: ForumRouter, forum: ForumParts): void {
  router.get('/user-status', async ({ env: { visit } }) => {
    const user = requireViewer(visit)
    return json((await findStatus(forum.db, user, forum.clock.now())) ?? {})
  })
  router.put('/user-status', async ({ env: { visit } }) => {
    const user = requireViewer(visit)
    const { parameters } = visit
    const description = readLine('description', parameters.text('description'))
    const emoji = readLine('emoji', parameters.text('emoji'))
    if (description === '') return refuseInvalid('description', 'description is empty')
    if (!/^[\w+-]{1,60}$/.test(emoji)) return refuseInvalid('emoji', 'emoji is not a name such as coffee')
    const status = { emoji, description, ends_at: readMoment('ends_at', parameters.text('ends_at')) }
    await forum.db
      .insertInto('forum_statuses')
      .values({ user_id: user.id, ...status })
      .onConflict((conflict) => conflict.column('user_id').doUpdateSet(status))
      .execute()
    return success()
  })
  router.delete('/user-status', async ({ env: { visit } }) => {
    await forum.db.deleteFrom('forum_statuses').where('user_id', '=', requireViewer(visit).id).execute()
    return success()
  })
}

/** A user's status by the wire's names; undefined when they have none, or its time is over. */
export async function findStatus(
  db: Kysely<ForumTables>,
  user: User,
  now: number,
): Promise<Record<string, unknown> | undefined> {
  const row = await db
    .selectFrom('forum_statuses')
    .selectAll()
    .where('user_id', '=', user.id)
    .executeTakeFirst()
  if (!row || (row.ends_at !== null && row.ends_at <= now)) return undefined
  const endsAt = row.ends_at === null ? null : isoTime(row.ends_at)
  return { emoji: row.emoji, description: row.description, ends_at: endsAt }
}
