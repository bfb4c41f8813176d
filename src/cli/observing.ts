/** How a server that runs can be watched: its log, its metrics, and spans where the process has a tracer. */
import { allObservers, type Observer } from '../domain/observation.ts'
import type { HallpassOptions } from '../server/options.ts'
import { prometheusObserver } from '../server/prometheus-observer.ts'
import { type MetricsServer, serveMetrics } from './serve-metrics.ts'
import { type LogFormat, type LogLevel, openServerLog, type ServerLog } from './server-log.ts'

export interface ObservingOptions {
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  /** Whether metrics are kept, for administrators at /hallpass/metrics. */
  readonly metrics: boolean
  /** Where they are to be had without a credential; undefined for nowhere. */
  readonly metricsListener: { readonly host: string; readonly port: number } | undefined
}

export interface Observing {
  /** For `createHallpass`. */
  readonly options: Required<Pick<HallpassOptions, 'log' | 'onError' | 'onWarning' | 'observer'>>
  readonly log: ServerLog
  /** The listener for metrics; undefined where there is none. */
  readonly metricsServer: MetricsServer | undefined
  close(): Promise<void>
}

/**
 * Begins to watch. `worker`: which of several processes this is; the first of them serves the metrics of all (see
 * `clusterExposition`), so that its workers open no listener.
 */
export async function startObserving(options: ObservingOptions, worker?: number): Promise<Observing> {
  const { logLevel: level, logFormat: format, metricsListener } = options
  const log = await openServerLog({ level, format, ...(worker === undefined ? {} : { worker }) })
  const metrics = options.metrics ? await prometheusObserver() : undefined
  const metricsServer =
    metrics && metricsListener && worker === undefined
      ? await serveMetrics(metrics.expose, metricsListener)
      : undefined
  const observer: Observer = allObservers(metrics ? [metrics, log.observer] : [log.observer])
  return {
    options: {
      log: log.log,
      onError: log.fault,
      onWarning: (message) => log.warn('push', message),
      observer,
    },
    log,
    metricsServer,
    close: async () => metricsServer?.close(),
  }
}
