/** What is handed to an app through the user's browser. What is sealed is MIME Base64. */
export interface RedirectValues {
  /** The sealed payload. */
  readonly payload?: string
  /** The sealed one-time password. */
  readonly oneTimePassword?: string
  /** Says that the site gives one-time passwords (protocol §6.4). */
  readonly otp?: 'true'
}

/**
 * The address that the user's browser goes to after approval (protocol §3.3, §6.2, §6.4). The app's own query stays byte
 * for byte as it is, the values follow it, and the fragment stays at the end (§19a). Values are form-encoded (§4.4).
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

function formEncode({ payload, oneTimePassword, otp }: RedirectValues): string {
  const pairs = Object.entries({ payload, oneTimePassword, otp })
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
