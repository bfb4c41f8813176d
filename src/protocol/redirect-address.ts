/** What an approved request hands to the app through the user's browser; both are MIME Base64. */
export interface RedirectValues {
  /** The sealed payload. */
  readonly payload?: string
  /** The sealed one-time password. */
  readonly oneTimePassword?: string
}

/**
 * The address that the user's browser goes to after approval (protocol §3.3). The app's own query stays byte for byte
 * as it is, the values follow it, and the fragment stays at the end. Values are form-encoded (§4.4).
 */
export function appendPayload(authRedirect: string, values: RedirectValues): string {
  // Not with `URL`, which would add a slash to an empty path and write the app's query anew.
  const fragmentStart = authRedirect.indexOf('#')
  const address = fragmentStart === -1 ? authRedirect : authRedirect.slice(0, fragmentStart)
  const fragment = fragmentStart === -1 ? '' : authRedirect.slice(fragmentStart)
  const added = formEncode(values)
  if (added === '') return authRedirect
  return address + separatorAfter(address) + added + fragment
}

function formEncode({ payload, oneTimePassword }: RedirectValues): string {
  const pairs = Object.entries({ payload, oneTimePassword })
  return new URLSearchParams(
    pairs.flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])),
  ).toString()
}

function separatorAfter(address: string): string {
  const queryStart = address.indexOf('?')
  if (queryStart === -1) return '?'
  // A query may itself hold, and end in, question marks; only an empty one takes no separator.
  return queryStart === address.length - 1 ? '' : '&'
}
