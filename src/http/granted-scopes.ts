/** The scopes of a request or of a key, in the words of pages and of the wire. */
import type { GrantedScope } from '../domain/store.ts'
import type { ConsentScope } from '../pages/consent.ts'
import { narrowedLabel } from '../protocol/narrowing-text.ts'
import type { ScopeCatalogue } from '../protocol/scopes.ts'

/** What a page says of each scope. One that the site no longer has goes by its name. */
export function scopesForPage(
  catalogue: ScopeCatalogue,
  granted: readonly GrantedScope[],
): readonly ConsentScope[] {
  return granted.map(({ name, allowedParameters }) => {
    const { label, description } = catalogue.find(name) ?? { label: name, description: '' }
    return { name, label, description, allowedParameters }
  })
}

/** The same as texts, for clients that show them as they come: a list of the wire has one for each scope. */
export function scopeLabels(catalogue: ScopeCatalogue, granted: readonly GrantedScope[]): readonly string[] {
  return granted.map(({ name, allowedParameters }) =>
    narrowedLabel(catalogue.find(name)?.label ?? name, allowedParameters),
  )
}
