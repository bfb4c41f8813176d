/**
 * The port through which nodes tell one another what they let in, so that a limit holds for all of them together. Each
 * node decides alone and at once, by its own windows, in which the others' events count too, some milliseconds late.
 */

/** What was let in against one limit. */
export interface LetIn {
  /** The limit's name. */
  readonly limit: string
  /** The window's length, in milliseconds. */
  readonly windowMs: number
  /** How many events of whom, by an id that does not tell who it is. Below zero: events that were given back. */
  readonly callers: readonly (readonly [id: string, count: number])[]
}

/** What a node let in, all of it counted at one time. */
export interface LimitBatch {
  /** When, by the clock of the node that has the batch in hand; in milliseconds since the Unix epoch. */
  readonly at: number
  readonly letIn: readonly LetIn[]
}

/** Callers whose earlier events a node cannot have heard of. */
export interface RecallQuestion {
  readonly limit: string
  readonly windowMs: number
  readonly ids: readonly string[]
}

/** How many events of a caller all nodes let in during a part of a window. */
export interface RecalledPart {
  readonly limit: string
  readonly windowMs: number
  readonly id: string
  /** From this time on, and before `to`; in milliseconds since the Unix epoch, by the node's own clock. */
  readonly from: number
  readonly to: number
  readonly count: number
}

/** A node, as an exchange sees it. */
export interface LimitNode {
  /** The node's time, in milliseconds since the Unix epoch. */
  now(): number
  /** Counts what another node let in. */
  heard(batch: LimitBatch): void
  /** What is let in reaches the others from now on. */
  connected(): void
  /** It does not at the moment; the exchange tries again by itself. May be called again and again. */
  lost(cause: unknown): void
}

/** Carries what each node lets in to all others. */
export interface LimitExchange {
  /** What it goes through, for the log and people: `redis`, `workers`. */
  readonly name: string
  /** The longest window that is whole without `recall`, in milliseconds: as far back a new node is told what it missed. */
  readonly heardMs: number
  /** Begins. Waits for nobody, and throws nothing: whether it works is told to `node`. */
  start(node: LimitNode): void
  /** Hands a batch on. Rejects when that cannot be done at the moment, or might not have been; a repeated one counts once. */
  publish(batch: LimitBatch): Promise<void>
  /** What all nodes let in during windows longer than `heardMs`. */
  recall?(questions: readonly RecallQuestion[]): Promise<readonly RecalledPart[]>
  /** Ends it; what was published before is on its way. */
  stop(): Promise<void>
}
