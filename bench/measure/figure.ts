/** What a figure is: something measured beside something else in one run. */
import type { Loader } from './load.ts'

/** How long to measure. */
export interface Effort {
  readonly quick: boolean
  /** How many times each contestant is measured, in turn. */
  readonly rounds: number
  /** Length of one measurement under load, in seconds. */
  readonly seconds: number
}

/** What a figure is measured with. */
export interface Bench {
  readonly effort: Effort
  readonly load: Loader
  /** Where filled databases stay between runs. */
  readonly cache: string
  /** Whether the stores of ten million keys are measured too. */
  readonly tenMillion: boolean
  /** Says what is being done, on the error stream. */
  progress(text: string): void
}

/** A ratio in the rounds of a run. */
export interface Ratio {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** A line of the table. */
export interface Row {
  readonly figure: string
  /** What Hallpass reached, with its unit. */
  readonly measured: string
  /** What it is held against, and what that reached. */
  readonly beside: string
  readonly ratio?: Ratio | undefined
  /** In words, such as `≥ 0.8`; undefined where none is set. */
  readonly budget?: string | undefined
  /** Undefined where no budget is set. */
  readonly met?: boolean | undefined
}

/** Some figures that are measured together. */
export interface Figure {
  /** What it is called on the command line, and in the markers of docs/performance.md. */
  readonly name: string
  readonly title: string
  /** What the reader of the table must know; sentences. */
  readonly notes: readonly string[]
  measure(bench: Bench): Promise<readonly Row[]>
}
