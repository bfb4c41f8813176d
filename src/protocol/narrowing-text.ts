/**
 * What a scope is narrowed to, in words: on pages, in refusals, in the terminal. The values come from a stranger, and a
 * person decides by them, so that none may look like another, or like the words around it.
 */
import type { AllowedValues } from './narrowed-scope.ts'
import { narrowingOf } from './scope-parameters.ts'

/** A parameter with the values that are shown of it. */
export interface ShownNarrowing {
  readonly parameter: string
  /** As {@link readableValue} has them. */
  readonly values: readonly string[]
  /** How many values there are beyond those. */
  readonly more: number
}

export interface ShownLimits {
  /** How many values of a parameter are shown. Default 5. */
  readonly values?: number
  /** How many characters of a value are shown. Default 40. */
  readonly characters?: number
}

/** What is shown of a narrowing; empty for a scope that is not narrowed. */
export function shownNarrowing(
  allowed: AllowedValues | null | undefined,
  { values: most = 5, characters = 40 }: ShownLimits = {},
): readonly ShownNarrowing[] {
  return narrowingOf(allowed).map(([parameter, values]) => {
    // To leave out a single one would take as much room as to show it.
    const count = values.length <= most + 1 ? values.length : most
    return {
      parameter,
      values: values.slice(0, count).map((value) => readableValue(value, characters)),
      more: values.length - count,
    }
  })
}

/** `only customer_id 12 or 13`; undefined for a scope that is not narrowed. */
export function describeNarrowing(
  allowed: AllowedValues | null | undefined,
  limits: ShownLimits = {},
): string | undefined {
  const shown = shownNarrowing(allowed, limits)
  if (shown.length === 0) return undefined
  return `only ${shown.map(describeOne).join(', and ')}`
}

/** A scope's label with what it is narrowed to: `See your invoices · only customer_id 12`. */
export function narrowedLabel(label: string, allowed: AllowedValues | null | undefined): string {
  const narrowing = describeNarrowing(allowed)
  return narrowing === undefined ? label : `${label} · ${narrowing}`
}

/**
 * A value as a person may safely read it: what cannot be seen, or rearranges what stands beside it, is written as
 * its number (`[U+202E]`), and what is more than a simple word stands in quotation marks, so that `12 or 13` is not
 * taken for two values. Past `characters` it ends in an ellipsis.
 */
export function readableValue(value: string, characters = 40): string {
  const seen = [...new Intl.Segmenter('en').segment(value)].map(({ segment }) => segment)
  const kept = seen.length > characters ? [...seen.slice(0, characters - 1), '…'] : seen
  const text = kept
    .join('')
    .replace(unseen, (one) => `[U+${hexOf(one)}]`)
    .replace(/(\p{M}{4})\p{M}+/gu, '$1')
  return /^[\p{L}\p{N}_.@:/+…-]+$/u.test(value) ? text : `“${text.replace(/[“”„‟«»＂"]/gu, '’')}”`
}

/** Draws nothing, or is a space that is no ordinary one. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115F\u1160\u3164\uFFA0]|(?! )\p{Zs}/gu

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
}

function describeOne({ parameter, values, more }: ShownNarrowing): string {
  const others = more === 0 ? [] : [`${more} others`]
  return `${parameter} ${listed([...values, ...others])}`
}

/** `12`, `12 or 13`, `12, 13 or 14`. */
function listed(items: readonly string[]): string {
  const last = items.at(-1) ?? ''
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} or ${last}`
}
