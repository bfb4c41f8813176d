import { createCategory } from './categories.ts'
import { setTopicStatus } from './editing.ts'
import { systemUser } from './people.ts'
import { createTopic } from './posting.ts'
import { countTopics } from './topics.ts'
import type { ForumParts } from './visit.ts'

/** Gives an empty forum its first category and its first topic. Does nothing to any other. */
export async function addFirstTopic(forum: ForumParts): Promise<void> {
  const { db, clock } = forum
  const existing = await db.selectFrom('forum_categories').select('id').executeTakeFirst()
  const category =
    existing ??
    (await createCategory(db, {
      name: 'General',
      color: '0b6b5d',
      description: 'Everything that has no place of its own yet.',
      now: clock.now(),
    }))
  if (existing !== undefined || (await countTopics(db)) > 0) return
  const { topic } = await createTopic(
    forum,
    { user: systemUser, viaApp: null },
    {
      title: 'Welcome: get a key for your app in five minutes',
      raw: welcomeText(forum.baseUrl),
      categoryId: category.id,
      tags: [],
    },
  )
  await setTopicStatus(forum, systemUser, topic, 'pinned', true)
}

function welcomeText(baseUrl: string): string {
  return `This forum is guarded by Hallpass: apps act here for the people who approve them, and for nobody else.

**Get a key**

1. Run \`hallpass login ${baseUrl} --scopes read,write\`. Your browser opens.
2. Sign in, read what is asked for, and approve.
3. That is all: the command has opened the sealed payload and kept the key.

**Use it**

\`\`\`
hallpass call GET /session/current.json
hallpass call POST /posts.json topic_id:=1 raw="Hello from my app."
\`\`\`

Any other program sends the key in the header \`User-Api-Key\`. What it writes is marked with its name.

**Take it back**

Every app that you have approved is on the page *Apps* in the menu at the top. What you revoke there stops working with its next request.
`
}
