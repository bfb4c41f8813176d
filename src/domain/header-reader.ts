/**
 * The headers of a request, as far as a decision reads them: a web-standard `Headers` is one, and so can be what another
 * server has. Names are given in lower case. A header that came more than once is its values, in order, with `, ` between.
 */
export interface HeaderReader {
  get(name: string): string | null
  /** The names of all headers, in lower case. */
  keys(): Iterable<string>
}
