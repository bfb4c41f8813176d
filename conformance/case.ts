import type { Feature } from './feature.ts'
import type { Site } from './site.ts'

/** What a case needs to be given, or the server to have; without it the case is skipped, and says why. */
export type Need =
  /** An administrator's API key: cases that make users and change settings. */
  | 'admin'
  /** A user who can sign in: one that was given, or one that the administrator makes. */
  | 'user'
  /** Another one: made by the administrator. */
  | 'second user'
  /** An address of this machine that the site may push to. */
  | 'push target'
  /** The parts of docs/protocol.md that a server may leave out. */
  | Feature

/** One requirement of docs/protocol.md, tried on a site. */
export interface Case {
  /** The requirement: `P-12`, or `A-3` for an addition. Several cases may try one. */
  readonly id: `P-${number}` | `A-${number}`
  /** The guarantee, in the present tense. */
  readonly title: string
  readonly needs?: readonly Need[]
  /** Returns when the requirement is met; throws what `expect.ts` throws when not. */
  readonly run: (site: Site) => Promise<void>
}

/** The cases of one section of docs/protocol.md, in the order in which they run. */
export interface CaseSection {
  readonly section: number
  readonly title: string
  readonly cases: readonly Case[]
}
