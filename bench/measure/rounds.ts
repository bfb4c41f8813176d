/** Rounds: contestants measured in turn, A B A B …, so that what disturbs the machine disturbs all of them. */
import type { Ratio, Row } from './figure.ts'

/** Measures each contestant once a round, in the order given. Answers with the values of each, a value a round. */
export async function interleaved<Value>(
  rounds: number,
  contestants: readonly (() => Promise<Value>)[],
): Promise<readonly (readonly Value[])[]> {
  const values: Value[][] = contestants.map(() => [])
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, measure] of contestants.entries()) values[index]?.push(await measure())
  }
  return values
}

/** The ratio of two contestants, of which each round has one. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((value, round) => value / (theirs[round] ?? Number.NaN))
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) }
}

/** The middle value; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value below which the share `q` of the values lies, in between by interpolation. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/** A budget that a row is held against. */
export interface Budget {
  readonly atLeast?: number
  readonly atMost?: number
  /** What follows the number, such as ` ms`. */
  readonly unit?: string
}

/** The columns of a budget; `value` is what is held against it. */
export function held(value: number, budget: Budget | undefined): Pick<Row, 'budget' | 'met'> {
  if (!budget) return {}
  const { atLeast, atMost, unit = '' } = budget
  if (atLeast !== undefined) return { budget: `≥ ${atLeast}${unit}`, met: value >= atLeast }
  if (atMost !== undefined) return { budget: `≤ ${atMost}${unit}`, met: value <= atMost }
  return {}
}
