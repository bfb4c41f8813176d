/** How a server that runs can be watched: its log, its metrics, and spans where the process has a tracer. */
import { allObservers, type Observer } from '../domain/observation.ts'
import type { HallpassOptions } from '../server/options.ts'
import { clusterExposition, prometheusObserver } from '../server/prometheus-observer.ts'
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

/** Which of several processes one is: a worker, with its number, or the first. */
export type ProcessRole = { readonly worker: number } | { readonly isPrimary: true }

/**
 * Begins to watch. `role`: for several processes on one port. The first of them answers no request, and serves the metrics
 * of all its workers, which keep them.
 */
export async function startObserving(options: ObservingOptions, role?: ProcessRole): Promise<Observing> {
  const { logLevel: level, logFormat: format, metricsListener } = options
  const isWorker = role !== undefined && 'worker' in role
  const isPrimary = role !== undefined && !isWorker
  const log = await openServerLog({ level, format, ...(isWorker ? role : {}) })
  const metrics = options.metrics && !isPrimary ? await prometheusObserver() : undefined
  const expose = isPrimary && options.metrics ? await clusterExposition() : metrics?.expose
  const metricsServer =
    expose && metricsListener && !isWorker
      ? await serveMetrics(expose, metricsListener, (error) => log.fault(error, 'metrics'))
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
