/** How the narrowing of scopes stands in JSON. */

/** The values that a scope is narrowed to, by parameter. */
export type AllowedValues = Readonly<Record<string, readonly string[]>>

/** A narrowed scope, as it stands in JSON. */
export interface NarrowedScope {
  readonly name: string
  readonly allowed_parameters: AllowedValues
}
