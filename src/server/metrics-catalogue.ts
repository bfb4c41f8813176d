/** Every metric of Hallpass's own: what it means, and what it is told apart by. The docs are made from it. */

export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** What it counts or measures, as a sentence without an end. */
  readonly help: string
  readonly labels: readonly string[]
  /** Of a histogram: the upper bounds of its buckets. */
  readonly buckets?: readonly number[]
  /** How the values of several processes of one node become one. Default: their sum. */
  readonly together?: 'sum' | 'max' | 'min'
}

export type MetricName =
  | 'hallpass_verifications_total'
  | 'hallpass_verification_seconds'
  | 'hallpass_cache_requests_total'
  | 'hallpass_cache_keys'
  | 'hallpass_store_seconds'
  | 'hallpass_store_failures_total'
  | 'hallpass_commit_transactions'
  | 'hallpass_bus_age_seconds'
  | 'hallpass_bus_trusted'
  | 'hallpass_bus_changes_total'
  | 'hallpass_bus_delay_seconds'
  | 'hallpass_limited_total'
  | 'hallpass_requests_total'
  | 'hallpass_request_seconds'
  | 'hallpass_refusals_total'
  | 'hallpass_pushes'
  | 'hallpass_push_tries_total'
  | 'hallpass_push_seconds'
  | 'hallpass_jobs_total'
  | 'hallpass_job_seconds'

/** From 2 microseconds, a key in memory, to half a second, a database in trouble. */
const fast = [2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.5]
/** From a tenth of a millisecond to ten seconds. */
const request = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 10]
const store = [2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 1, 5]
const slow = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120]

export const metricsCatalogue: Readonly<Record<MetricName, MetricDefinition>> = {
  hallpass_verifications_total: {
    kind: 'counter',
    help: 'Requests whose sender was looked at, by credential and by what it came to: authenticated, anonymous, or the reason of the refusal',
    labels: ['credential', 'result'],
  },
  hallpass_verification_seconds: {
    kind: 'histogram',
    help: 'How long it took to decide who sent a request and whether they may',
    labels: ['credential'],
    buckets: fast,
  },
  hallpass_cache_requests_total: {
    kind: 'counter',
    help: 'Questions to the cache of keys, by answer: hit, miss, known_absent, untrusted',
    labels: ['answer'],
  },
  hallpass_cache_keys: { kind: 'gauge', help: 'Keys in memory', labels: [] },
  hallpass_store_seconds: {
    kind: 'histogram',
    help: 'How long the store took to answer, waiting included, by what it was asked; transaction is a whole one',
    labels: ['operation'],
    buckets: store,
  },
  hallpass_store_failures_total: {
    kind: 'counter',
    help: 'Questions that the store did not answer, and transactions that were rolled back',
    labels: ['operation'],
  },
  hallpass_commit_transactions: {
    kind: 'histogram',
    help: 'Transactions that reached the disk in one commit',
    labels: [],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
  hallpass_bus_age_seconds: {
    kind: 'gauge',
    help: 'Since when the changes of other nodes were last read with success; 0 where there is nobody to hear',
    labels: [],
    together: 'max',
  },
  hallpass_bus_trusted: {
    kind: 'gauge',
    help: '1 while the changes of other nodes are heard in time and the cache may be used, else 0',
    labels: [],
    together: 'min',
  },
  hallpass_bus_changes_total: {
    kind: 'counter',
    help: 'Changes of other nodes that were applied',
    labels: [],
  },
  hallpass_bus_delay_seconds: {
    kind: 'histogram',
    help: 'From the commit of a change on another node to its effect here, by the clocks of both',
    labels: [],
    buckets: [1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2, 5],
  },
  hallpass_limited_total: {
    kind: 'counter',
    help: 'Events that a limit did not let in, by the name of its setting',
    labels: ['limit'],
  },
  hallpass_requests_total: {
    kind: 'counter',
    help: 'Requests that were answered, by group of routes and by status',
    labels: ['group', 'status'],
  },
  hallpass_request_seconds: {
    kind: 'histogram',
    help: 'From the arrival of a request to its answer; in front of an application, to the beginning of that',
    labels: ['group'],
    buckets: request,
  },
  hallpass_refusals_total: {
    kind: 'counter',
    help: 'Requests that were refused, by reason',
    labels: ['reason'],
  },
  hallpass_pushes: {
    kind: 'gauge',
    help: 'Pushes in the database that wait (pending) or were given up (dead)',
    labels: ['state'],
    together: 'max',
  },
  hallpass_push_tries_total: {
    kind: 'counter',
    help: 'Tries to push, by what became of them: delivered, retry, dead, lost',
    labels: ['result'],
  },
  hallpass_push_seconds: {
    kind: 'histogram',
    help: 'How long a try to push took',
    labels: [],
    buckets: slow,
  },
  hallpass_jobs_total: {
    kind: 'counter',
    help: 'Runs of jobs that ended here, by how: succeeded, failed, interrupted, lost',
    labels: ['job', 'result'],
  },
  hallpass_job_seconds: {
    kind: 'histogram',
    help: 'How long a run of a job took',
    labels: ['job'],
    buckets: slow,
  },
}
