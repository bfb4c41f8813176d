import type { AllowedValues } from '../protocol/narrowed-scope.ts'
import { type ShownNarrowing, shownNarrowing } from '../protocol/narrowing-text.ts'
import { type Html, html } from './html.ts'

/** What somebody is told of a scope. */
export interface Permission {
  readonly name: string
  /** What it lets an app do, for people to read. */
  readonly label: string
  /** The values that it is narrowed to, by parameter: free text from a stranger. Default: it is not narrowed. */
  readonly allowedParameters?: AllowedValues | null
}

/**
 * What an app may do, as items of a list. `read` is left out beside `write`, whose own words say that it reads
 * everything.
 */
export function permissions(scopes: readonly Permission[]): readonly Html[] {
  const writes = scopes.some(({ name }) => name === 'write')
  return scopes
    .filter(({ name }) => !(writes && name === 'read'))
    .map(
      ({ label, allowedParameters }) =>
        html`<li>${label}${narrowing(shownNarrowing(allowedParameters))}</li>\n`,
    )
}

/** Every value that a scope is narrowed to, for whoever looks closer; null for one that is not narrowed. */
export function wholeNarrowing(allowed: AllowedValues | null | undefined): Html | null {
  return narrowing(shownNarrowing(allowed, { values: Number.MAX_SAFE_INTEGER, characters: 200 }))
}

/** `· only customer_id 12 or 13`. Each value is kept apart from the text around it, whatever it holds. */
function narrowing(shown: readonly ShownNarrowing[]): Html | null {
  if (shown.length === 0) return null
  return html` <span class="narrowed"><span class="hidden">· </span>only ${shown.map(
    (one, index) => html`${index === 0 ? '' : ', and '}${parameter(one)}`,
  )}</span>`
}

function parameter({ parameter: name, values, more }: ShownNarrowing): Html {
  const items = values.map((value) => html`<bdi class="narrowed__value">${value}</bdi>`)
  if (more > 0) items.push(html`${more} others`)
  return html`<span class="narrowed__name">${name}</span> ${items.map(
    (item, index) => html`${index === 0 ? '' : index === items.length - 1 ? ' or ' : ', '}${item}`,
  )}`
}
