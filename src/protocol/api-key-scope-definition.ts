import type { RouteMatcher } from './route-matcher.ts'

/** A scope that an API key can have; a site owner's own has the same form. */
export interface ApiKeyScopeDefinition {
  /** What it is about, such as `topics`: lower-case letters, digits, `_` and `-`, 100 characters at most. */
  readonly resource: string
  /** What may be done to it, such as `read_lists`; same form. */
  readonly action: string
  /**
   * What it permits. The first route that fits a request decides, and in it the first pattern that fits the path, as
   * in a router: put the narrower pattern first. A key can be narrowed to values of the parameters that they name.
   */
  readonly routes: readonly RouteMatcher[]
}
