import type { Kysely, Selectable } from 'kysely'
import type { PushDeliveryRecord, StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'
import { inTransaction } from './transaction.ts'

/**
 * The outbox of pushes: `push_deliveries`. Taking one is a single statement, which holds only for the first that waits
 * for its address, so that however many processes share the database one of them sends to an address at a time.
 */
export function createPushDeliveries(db: Kysely<HallpassTables>): StoreSession['pushDeliveries'] {
  const waitingFor = (targetUrl: string) =>
    db.selectFrom('push_deliveries').where('state', '=', 'pending').where('target_url', '=', targetUrl)

  return {
    async find(id) {
      const row = await db.selectFrom('push_deliveries').selectAll().where('id', '=', id).executeTakeFirst()
      return row && pushDeliveryOf(row)
    },

    async list({ state, targetUrl, before, limit }) {
      let page = db.selectFrom('push_deliveries').selectAll().orderBy('id', 'desc').limit(limit)
      if (state !== undefined) page = page.where('state', '=', state)
      if (targetUrl !== undefined) page = page.where('target_url', '=', targetUrl)
      if (before !== undefined) page = page.where('id', '<', before)
      return (await page.execute()).map(pushDeliveryOf)
    },

    async counts() {
      const rows = await db
        .selectFrom('push_deliveries')
        .select((build) => ['state', build.fn.countAll<number>().as('total')])
        .groupBy('state')
        .execute()
      const total = new Map(rows.map((row) => [row.state, Number(row.total)]))
      return {
        pending: total.get('pending') ?? 0,
        delivered: total.get('delivered') ?? 0,
        dead: total.get('dead') ?? 0,
      }
    },

    async countPending(targetUrl) {
      const row = await waitingFor(targetUrl)
        .select((build) => build.fn.countAll<number>().as('total'))
        .executeTakeFirst()
      return Number(row?.total ?? 0)
    },

    async heads() {
      const firsts = db
        .selectFrom('push_deliveries')
        .select((build) => build.fn.min('id').as('id'))
        .where('state', '=', 'pending')
        .groupBy('target_url')
      const rows = await db
        .selectFrom('push_deliveries')
        .selectAll()
        .where('id', 'in', firsts)
        .orderBy('id')
        .execute()
      return rows.map(pushDeliveryOf)
    },

    async insert(delivery) {
      const { id } = await db
        .insertInto('push_deliveries')
        .values({
          target_url: delivery.targetUrl,
          user_id: delivery.userId,
          body: delivery.body,
          state: 'pending',
          created_at: delivery.createdAt,
          attempts: 0,
          next_attempt_at: delivery.createdAt,
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      return id
    },

    async dropOldest(targetUrl, { count, now, problem }) {
      const oldest = waitingFor(targetUrl)
        .select('id')
        .where((build) => build.or([build('leased_until', 'is', null), build('leased_until', '<=', now)]))
        .orderBy('id')
        .limit(count)
      const rows = await db
        .updateTable('push_deliveries')
        .set({ state: 'dead', finished_at: now, last_error: problem, lease: null, leased_until: null })
        .where('id', 'in', oldest)
        .returning('id')
        .execute()
      return rows.map(({ id }) => id).sort((one, other) => one - other)
    },

    // In a transaction, because it looks at other rows: beside another claim it would see them as they were.
    claim: (id, { token, now, until }) =>
      inTransaction(db, async (transaction) => {
        const row = await transaction
          .updateTable('push_deliveries')
          .set((build) => ({ lease: token, leased_until: until, attempts: build('attempts', '+', 1) }))
          .where('id', '=', id)
          .where('state', '=', 'pending')
          .where('next_attempt_at', '<=', now)
          .where(({ and, not, exists, selectFrom, ref }) => {
            const sameAddress = selectFrom('push_deliveries as other')
              .select('other.id')
              .where('other.state', '=', 'pending')
              .where('other.target_url', '=', ref('push_deliveries.target_url'))
            return and([
              not(exists(sameAddress.where('other.id', '<', ref('push_deliveries.id')))),
              not(exists(sameAddress.where('other.leased_until', '>', now))),
            ])
          })
          .returningAll()
          .executeTakeFirst()
        return row && pushDeliveryOf(row)
      }),

    async settle(id, token, { state, at, nextAttemptAt, status, error }) {
      const { numUpdatedRows } = await db
        .updateTable('push_deliveries')
        .set({
          state,
          lease: null,
          leased_until: null,
          last_status: status,
          last_error: error,
          finished_at: state === 'pending' ? null : at,
          ...(nextAttemptAt === undefined ? {} : { next_attempt_at: nextAttemptAt }),
          // What arrived is nobody's business here any more.
          ...(state === 'delivered' ? { body: '' } : {}),
        })
        .where('id', '=', id)
        .where('state', '=', 'pending')
        .where('lease', '=', token)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    async revive(id, now) {
      const { numUpdatedRows } = await db
        .updateTable('push_deliveries')
        .set({ state: 'pending', attempts: 0, next_attempt_at: now, finished_at: null })
        .where('id', '=', id)
        .where('state', '=', 'dead')
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    deleteFinished: (until, limit) =>
      inTransaction(db, async (transaction) => {
        let deleted = 0
        let more = false
        for (const state of ['delivered', 'dead'] as const) {
          const { numDeletedRows } = await transaction
            .deleteFrom('push_deliveries')
            .where('id', 'in', (query) =>
              query
                .selectFrom('push_deliveries')
                .select('id')
                .where('state', '=', state)
                .where('finished_at', '<=', until[state])
                .orderBy('finished_at')
                .limit(limit),
            )
            .executeTakeFirstOrThrow()
          deleted += Number(numDeletedRows)
          more ||= Number(numDeletedRows) === limit
        }
        return { deleted, more }
      }),
  }
}

function pushDeliveryOf(row: Selectable<HallpassTables['push_deliveries']>): PushDeliveryRecord {
  return {
    id: row.id,
    targetUrl: row.target_url,
    userId: row.user_id,
    body: row.body,
    state: row.state,
    createdAt: row.created_at,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    leasedUntil: row.leased_until,
    lastStatus: row.last_status,
    lastError: row.last_error,
    finishedAt: row.finished_at,
  }
}
