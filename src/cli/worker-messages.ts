/** What the first process and its workers tell each other. */

/** From a worker. */
export type WorkerMessage =
  /** Its site is open. `limitsShared`: it counts together with others. */
  | { readonly type: 'opened'; readonly limitsShared: boolean }
  /** It answers on the port. */
  | { readonly type: 'listening' }
  /** It asks for what all workers let in so far. */
  | { readonly type: 'limits_wanted' }
  /** What it let in, as `limit-entry.ts` writes it. */
  | LimitsMessage

/** To a worker. */
export type PrimaryMessage =
  | { readonly type: 'listen' }
  /** `drainMs`: how long it still answers on connections which are open, in milliseconds. */
  | { readonly type: 'stop'; readonly drainMs: number }
  /** All that it asked for has been sent. */
  | { readonly type: 'limits_told' }
  | LimitsMessage

export interface LimitsMessage {
  readonly type: 'limits'
  /** How long ago it was let in, in milliseconds. */
  readonly ageMs: number
  readonly letIn: string
}

/** Tells the first process something. Resolves once it is on its way; rejects when that process has gone. */
export function tellPrimary(message: WorkerMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!process.send || !process.connected) return reject(new Error('the first process has gone'))
    process.send(message, undefined, undefined, (error) => (error ? reject(error) : resolve()))
  })
}

/** Calls `work` for each message of the first process; answers with what stops that. */
export function fromPrimary(work: (message: PrimaryMessage) => void): () => void {
  // Nobody else has the channel.
  const listener = (message: unknown): void => work(message as PrimaryMessage)
  process.on('message', listener)
  return () => process.off('message', listener)
}
