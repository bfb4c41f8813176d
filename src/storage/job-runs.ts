import type { Kysely, Selectable } from 'kysely'
import type { JobRunRecord, StoreSession } from '../domain/store.ts'
import type { HallpassTables } from './schema.ts'

/** How the jobs went, and who runs one: `job_runs`. */
export function createJobRuns(db: Kysely<HallpassTables>): StoreSession['jobRuns'] {
  return {
    async all() {
      const rows = await db.selectFrom('job_runs').selectAll().orderBy('name').execute()
      return rows.map(jobRunOf)
    },

    async find(name) {
      const row = await db.selectFrom('job_runs').selectAll().where('name', '=', name).executeTakeFirst()
      return row && jobRunOf(row)
    },

    async schedule(name, nextRunAt) {
      await db
        .insertInto('job_runs')
        .values({ name, summary: '', failures: 0, next_run_at: nextRunAt })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute()
    },

    async take(name, { owner, now, until, onlyDue }) {
      const free = db
        .updateTable('job_runs')
        .set({ lease_owner: owner, lease_until: until, last_started_at: now })
        .where('name', '=', name)
        .where((row) => row.or([row('lease_until', 'is', null), row('lease_until', '<=', now)]))
      const wanted = onlyDue ? free.where('next_run_at', '<=', now) : free
      const { numUpdatedRows } = await wanted.executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },

    async renew(name, owner, until) {
      const { numUpdatedRows } = await db
        .updateTable('job_runs')
        .set({ lease_until: until })
        .where('name', '=', name)
        .where('lease_owner', '=', owner)
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },

    async finish(name, owner, { outcome, summary, failures, finishedAt, nextRunAt }) {
      const { numUpdatedRows } = await db
        .updateTable('job_runs')
        .set({
          outcome,
          summary,
          failures,
          last_finished_at: finishedAt,
          next_run_at: nextRunAt,
          lease_owner: null,
          lease_until: null,
        })
        .where('name', '=', name)
        .where('lease_owner', '=', owner)
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
  }
}

function jobRunOf(row: Selectable<HallpassTables['job_runs']>): JobRunRecord {
  return {
    name: row.name,
    lastStartedAt: row.last_started_at,
    lastFinishedAt: row.last_finished_at,
    outcome: row.outcome,
    summary: row.summary,
    failures: row.failures,
    nextRunAt: row.next_run_at,
    leaseOwner: row.lease_owner,
    leaseUntil: row.lease_until,
  }
}
