import type { Migration } from '../storage/migrate.ts'

/** The forum's tables, step by step; what has been released is never changed. See `schema.ts` for what they hold. */
export const forumMigrations: readonly Migration[] = [
  {
    name: 'forum-first-tables',
    since: '0.1.0',
    kind: 'expand',
    async up(db, schema) {
      await schema
        .withId(db.schema.createTable('forum_categories'))
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('slug', 'text', (column) => column.notNull().unique())
        .addColumn('color', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('position', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute()
      await schema
        .withId(db.schema.createTable('forum_topics'))
        .addColumn('title', 'text', (column) => column.notNull())
        .addColumn('title_folded', 'text', (column) => column.notNull())
        .addColumn('slug', 'text', (column) => column.notNull())
        .addColumn('archetype', 'text', (column) => column.notNull())
        .addColumn('category_id', 'bigint', (column) => column.references('forum_categories.id'))
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('closed', 'integer', (column) => column.notNull())
        .addColumn('pinned', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('bumped_at', 'bigint', (column) => column.notNull())
        .addColumn('last_posted_at', 'bigint', (column) => column.notNull())
        .addColumn('last_poster_id', 'text', (column) => column.notNull())
        .addColumn('posts_count', 'integer', (column) => column.notNull())
        .addColumn('highest_post_number', 'integer', (column) => column.notNull())
        .addColumn('deleted_at', 'bigint')
        .execute()
      // Lists go by activity, by age, and within a category by activity.
      await db.schema
        .createIndex('forum_topics_bumped')
        .on('forum_topics')
        .columns(['pinned', 'bumped_at', 'id'])
        .execute()
      await db.schema
        .createIndex('forum_topics_category')
        .on('forum_topics')
        .columns(['category_id', 'bumped_at'])
        .execute()
      await db.schema.createIndex('forum_topics_created').on('forum_topics').column('created_at').execute()

      await schema
        .clustered(db.schema.createTable('forum_topic_tags'))
        .addColumn('topic_id', 'bigint', (column) => column.notNull().references('forum_topics.id'))
        .addColumn('tag', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('forum_topic_tags_key', ['topic_id', 'tag'])
        .execute()
      await db.schema.createIndex('forum_topic_tags_tag').on('forum_topic_tags').column('tag').execute()
      await schema
        .clustered(db.schema.createTable('forum_topic_recipients'))
        .addColumn('topic_id', 'bigint', (column) => column.notNull().references('forum_topics.id'))
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('forum_topic_recipients_key', ['topic_id', 'user_id'])
        .execute()

      await schema
        .withId(db.schema.createTable('forum_posts'))
        .addColumn('topic_id', 'bigint', (column) => column.notNull().references('forum_topics.id'))
        .addColumn('post_number', 'integer', (column) => column.notNull())
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('raw', 'text', (column) => column.notNull())
        .addColumn('raw_folded', 'text', (column) => column.notNull())
        .addColumn('cooked', 'text', (column) => column.notNull())
        .addColumn('reply_to_post_number', 'integer')
        .addColumn('via_app', 'text')
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('edit_reason', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addColumn('deleted_at', 'bigint')
        .execute()
      await db.schema
        .createIndex('forum_posts_number')
        .unique()
        .on('forum_posts')
        .columns(['topic_id', 'post_number'])
        .execute()
      await db.schema.createIndex('forum_posts_author').on('forum_posts').columns(['user_id', 'id']).execute()

      await schema
        .withId(db.schema.createTable('forum_notifications'))
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('type', 'integer', (column) => column.notNull())
        .addColumn('read', 'integer', (column) => column.notNull())
        .addColumn('topic_id', 'bigint', (column) => column.notNull().references('forum_topics.id'))
        .addColumn('post_number', 'integer', (column) => column.notNull())
        .addColumn('data', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createIndex('forum_notifications_user')
        .on('forum_notifications')
        .columns(['user_id', 'read', 'id'])
        .execute()
      await schema
        .clustered(db.schema.createTable('forum_readers'))
        .addColumn('user_id', 'text', (column) => column.notNull().primaryKey())
        .addColumn('seen_notification_id', 'bigint', (column) => column.notNull())
        .execute()
      await schema
        .clustered(db.schema.createTable('forum_reads'))
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('topic_id', 'bigint', (column) => column.notNull().references('forum_topics.id'))
        .addColumn('last_read_post_number', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('forum_reads_key', ['user_id', 'topic_id'])
        .execute()
      await schema
        .clustered(db.schema.createTable('forum_drafts'))
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('draft_key', 'text', (column) => column.notNull())
        .addColumn('sequence', 'integer', (column) => column.notNull())
        .addColumn('data', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('forum_drafts_key', ['user_id', 'draft_key'])
        .execute()
    },
  },
  {
    name: 'forum-bookmarks',
    since: '0.2.0',
    kind: 'expand',
    async up(db, schema) {
      await schema
        .withId(db.schema.createTable('forum_bookmarks'))
        .addColumn('user_id', 'text', (column) => column.notNull())
        .addColumn('post_id', 'bigint', (column) => column.notNull().references('forum_posts.id'))
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('reminder_at', 'bigint')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addUniqueConstraint('forum_bookmarks_once', ['user_id', 'post_id'])
        .execute()
      await db.schema
        .createTable('forum_statuses')
        .addColumn('user_id', 'text', (column) => column.notNull().primaryKey())
        .addColumn('emoji', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('ends_at', 'bigint')
        .execute()
    },
  },
]
