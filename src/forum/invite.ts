import type { User } from '../domain/user.ts'
import { inTransaction } from '../storage/transaction.ts'
import { participantsOf, writeNotifications } from './notification-plan.ts'
import { notificationTypes } from './notifications.ts'
import { findPerson, systemUser } from './people.ts'
import { announce, type Desk, maximumRecipients } from './posting.ts'
import { findPostByNumber } from './posts.ts'
import { refuse, refuseInvalid } from './refused.ts'
import type { TopicRow } from './schema.ts'

/**
 * Lets somebody take part in a personal message, and tells them. Whoever takes part already stays, and hears nothing.
 * Refuses a public topic with 400, and with 422 a name that nobody has and a message that is full. `topic` is one that
 * the inviter may read, which of a personal message only those do who take part in it.
 */
export async function inviteToMessage(
  desk: Desk,
  inviter: User,
  topic: TopicRow,
  username: string,
): Promise<User> {
  if (topic.archetype !== 'private_message') {
    return refuse('parameter_invalid', {
      field: 'id',
      problem: 'it is a public topic, which everybody reads already',
      expected: 'the id of a personal message',
    })
  }
  const invited = await findPerson(desk.directory, username.trim())
  if (invited === undefined || invited.id === systemUser.id) {
    return refuseInvalid('user', `there is no user ${username.slice(0, 60)}`)
  }
  const first = await findPostByNumber(desk.db, topic.id, 1)
  const plan = new Map([[invited.id, notificationTypes.private_message]])
  const added = await inTransaction(desk.db, async (transaction) => {
    const participants = await participantsOf(transaction, topic.id)
    if (participants.has(invited.id)) return false
    // Its author is one of them.
    if (participants.size > maximumRecipients) {
      return refuseInvalid('user', `a personal message has at most ${maximumRecipients} recipients`)
    }
    const row = await transaction
      .insertInto('forum_topic_recipients')
      .values({ topic_id: topic.id, user_id: invited.id })
      // Somebody else may invite the same person at this moment.
      .onConflict((conflict) => conflict.doNothing())
      .returning('user_id')
      .executeTakeFirst()
    if (row === undefined) return false
    if (first) {
      const post = { ...first, updated_at: desk.clock.now() }
      await writeNotifications(transaction, plan, { author: inviter, post, topic })
    }
    return true
  })
  if (added && first) announce(desk, inviter, plan, { post: first, topic })
  return invited
}
