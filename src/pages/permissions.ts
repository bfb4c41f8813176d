import { type Html, html } from './html.ts'

/** What somebody is told of a scope. */
export interface Permission {
  readonly name: string
  /** What it lets an app do, for people to read. */
  readonly label: string
}

/**
 * What an app may do, as items of a list. `read` is left out beside `write`, whose own words say that it reads
 * everything.
 */
export function permissions(scopes: readonly Permission[]): readonly Html[] {
  const writes = scopes.some(({ name }) => name === 'write')
  return scopes
    .filter(({ name }) => !(writes && name === 'read'))
    .map(({ label }) => html`<li>${label}</li>\n`)
}
