import type { HeaderReader } from './header-reader.ts'
import type { Connection } from './ports.ts'

/** A request without a body, as a server has it that makes no web-standard `Request`. */
export interface PlainQuestion {
  readonly method: string
  /** Path and query as the first line has them. */
  readonly target: string
  readonly headers: HeaderReader
  /** The same object must come with the request that is made when there is no {@link PlainAnswer}: by it is known what was decided already. */
  readonly connection: Connection
}

/** An answer with the status 200. */
export interface PlainAnswer {
  /** Names and values in turn, in the order of names. */
  readonly headers: readonly string[]
  readonly body: string
}
