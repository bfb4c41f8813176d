/**
 * An observer whose findings Prometheus can read, on `prom-client`, which is loaded only when somebody asks for this.
 * What the metrics are is in `metrics-catalogue.ts`.
 */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { AnsweredRequest, Exposition, Observer, Readings } from '../domain/observation.ts'
import { type MetricName, metricsCatalogue } from './metrics-catalogue.ts'

export interface PrometheusOptions {
  /** Whether the process's own metrics are told too: event loop, garbage collection, memory, CPU. Default true. */
  readonly processMetrics?: boolean
}

/**
 * Makes an observer for `createHallpass({ observer })`. `expose` answers with the metrics; GET /hallpass/metrics does for
 * administrators.
 */
export async function prometheusObserver(options: PrometheusOptions = {}): Promise<PrometheusObserver> {
  const prometheus = await loadPrometheus()
  const registry = new prometheus.Registry()
  if (options.processMetrics ?? true) prometheus.collectDefaultMetrics({ register: registry })
  // Among several processes of one node, the first is asked for the metrics of all, and asks the others.
  if ((await import('node:cluster')).default.isWorker) {
    prometheus.AggregatorRegistry.setRegistries([registry])
    new prometheus.AggregatorRegistry()
  }
  return observerOn(registry, prometheus)
}

/**
 * For the first of several processes (`node:cluster`): answers with the metrics of all workers, each of which has an
 * observer of its own. To be called before the first worker is started.
 */
export async function clusterExposition(): Promise<() => Promise<Exposition>> {
  const { AggregatorRegistry } = await loadPrometheus()
  const registry = new AggregatorRegistry()
  return async () => ({ contentType: registry.contentType, text: await registry.clusterMetrics() })
}

export interface PrometheusObserver extends Observer {
  readonly expose: () => Promise<Exposition>
}

type Prometheus = typeof import('prom-client')

/** It is CommonJS: Node finds most names in it, and all of them in `default`. */
async function loadPrometheus(): Promise<Prometheus> {
  const { default: prometheus } = await import('prom-client')
  return prometheus
}

function observerOn(registry: Registry, prometheus: Prometheus): PrometheusObserver {
  const shared = (name: MetricName) => {
    const { help, labels, together = 'sum' } = metricsCatalogue[name]
    return { name, help, labelNames: [...labels], registers: [registry], aggregator: together }
  }
  const counter = (name: MetricName): Counter => new prometheus.Counter(shared(name))
  const histogram = (name: MetricName): Histogram => {
    const { buckets = [] } = metricsCatalogue[name]
    return new prometheus.Histogram({ ...shared(name), buckets: [...buckets] })
  }
  const read = (name: MetricName, collect: (gauge: Gauge) => void | Promise<void>): void => {
    new prometheus.Gauge({
      ...shared(name),
      collect() {
        return collect(this)
      },
    })
  }

  const verifications = counter('hallpass_verifications_total')
  const verificationSeconds = histogram('hallpass_verification_seconds')
  const cacheRequests = counter('hallpass_cache_requests_total')
  const storeSeconds = histogram('hallpass_store_seconds')
  const storeFailures = counter('hallpass_store_failures_total')
  const commitTransactions = histogram('hallpass_commit_transactions')
  const busChanges = counter('hallpass_bus_changes_total')
  const busDelay = histogram('hallpass_bus_delay_seconds')
  const limited = counter('hallpass_limited_total')
  const requests = counter('hallpass_requests_total')
  const requestSeconds = histogram('hallpass_request_seconds')
  const refusals = counter('hallpass_refusals_total')
  const pushTries = counter('hallpass_push_tries_total')
  const pushSeconds = histogram('hallpass_push_seconds')
  const jobs = counter('hallpass_jobs_total')
  const jobSeconds = histogram('hallpass_job_seconds')

  return {
    isOn: true,
    watch: (readings) => watch(readings, read),
    verified(credential, result, durationMs) {
      verifications.inc({ credential, result })
      verificationSeconds.observe({ credential }, durationMs / 1000)
    },
    cacheAsked: (answer) => cacheRequests.inc({ answer }),
    storeAsked(operation, outcome, durationMs) {
      storeSeconds.observe({ operation }, durationMs / 1000)
      if (outcome === 'failed') storeFailures.inc({ operation })
    },
    committed: (works) => commitTransactions.observe(works),
    changesHeard(changes, delayMs) {
      busChanges.inc(changes)
      // The clocks of two machines are never quite the same.
      busDelay.observe(Math.max(0, delayMs) / 1000)
    },
    busTrusted: () => {},
    limited: (limit) => limited.inc({ limit }),
    jobEnded(job, result, durationMs) {
      jobs.inc({ job, result })
      jobSeconds.observe({ job }, durationMs / 1000)
    },
    pushTried(result, durationMs) {
      pushTries.inc({ result })
      pushSeconds.observe(durationMs / 1000)
    },
    answered(request) {
      const group = groupOf(request)
      requests.inc({ group, status: request.status })
      requestSeconds.observe({ group }, request.durationMs / 1000)
    },
    refused: ({ refusal }) => refusals.inc({ reason: refusal.reason }),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

type Read = (name: MetricName, collect: (gauge: Gauge) => void | Promise<void>) => void

function watch(readings: Readings, read: Read): void {
  read('hallpass_cache_keys', (gauge) => gauge.set(readings.cachedKeys()))
  read('hallpass_bus_trusted', (gauge) => gauge.set(readings.isBusTrusted() ? 1 : 0))
  read('hallpass_bus_age_seconds', (gauge) => {
    const ageMs = readings.busAgeMs()
    if (ageMs !== undefined) gauge.set(ageMs / 1000)
  })
  read('hallpass_pushes', async (gauge) => {
    // A store that does not answer must not take the other metrics with it: it is when they are looked at.
    const counts = await readings.outbox().catch(() => undefined)
    if (!counts) return gauge.reset()
    gauge.set({ state: 'pending' }, counts.pending)
    gauge.set({ state: 'dead' }, counts.dead)
  })
}

/** The first word of the route's name: routes by the dozen, each with its histogram, would be more than anybody looks at. */
function groupOf({ route }: AnsweredRequest): string {
  const end = route.indexOf('/')
  return end === -1 ? route : route.slice(0, end)
}
