import { inviteToMessage } from './invite.ts'
import { refuse, refuseNotFound } from './refused.ts'
import { idIn, json } from './respond.ts'
import { basicUserJson } from './topic-json.ts'
import { topicList } from './topic-list-response.ts'
import { findTopic, type TopicListFilter } from './topics.ts'
import { type ForumParts, type ForumRouter, requireAuthor, requireViewer, type Visit } from './visit.ts'

/** Personal messages: their lists, and inviting somebody into one. They are read and written like topics. */
export function addMessageRoutes(router: ForumRouter, forum: ForumParts): void {
  router.get('/u/:username/messages', ({ env: { visit }, req }) =>
    messageList(forum, visit, req.param('username'), 'inbox'),
  )
  router.get('/topics/private-messages/:username', ({ env: { visit }, req }) =>
    messageList(forum, visit, req.param('username'), 'inbox'),
  )
  for (const mailbox of ['sent', 'new', 'unread', 'archive'] as const) {
    router.get(`/topics/private-messages-${mailbox}/:username`, ({ env: { visit }, req }) =>
      messageList(forum, visit, req.param('username'), mailbox),
    )
  }
  router.post('/t/:id{[0-9]+}/invite', async ({ env: { visit }, req }) => {
    const author = requireAuthor(visit)
    const topicId = idIn(req.param('id'), 'topic')
    const topic = (await findTopic(forum.db, topicId, author.user)) ?? refuseNotFound(`topic ${topicId}`)
    const invited = await inviteToMessage(forum, author.user, topic, visit.parameters.text('user') ?? '')
    return json({ user: basicUserJson(invited) })
  })
}

type Mailbox = 'inbox' | 'sent' | 'new' | 'unread' | 'archive'

async function messageList(
  forum: ForumParts,
  visit: Visit,
  username: string,
  mailbox: Mailbox,
): Promise<Response> {
  const viewer = requireViewer(visit)
  if (viewer.username.toLowerCase() !== username.toLowerCase()) {
    return refuse('not_permitted', {
      problem: 'these are somebody else’s messages',
      remedy: 'ask for your own',
    })
  }
  const name = encodeURIComponent(viewer.username)
  const messages: Omit<TopicListFilter, 'page' | 'now'> = { kind: 'messages', viewer }
  return topicList(forum, visit, {
    heading: headings[mailbox],
    path: mailbox === 'inbox' ? `/u/${name}/messages` : `/topics/private-messages-${mailbox}/${name}`,
    // Nobody can archive a message here, so that the archive is always empty.
    filter: {
      inbox: messages,
      sent: { ...messages, authorId: viewer.id },
      new: { ...messages, state: 'new' as const },
      unread: { ...messages, state: 'unread' as const },
      archive: undefined,
    }[mailbox],
  })
}

const headings: Readonly<Record<Mailbox, string>> = {
  inbox: 'Messages',
  sent: 'Sent messages',
  new: 'New messages',
  unread: 'Unread messages',
  archive: 'Archived messages',
}
