/** Finds the sealed payload in whatever reached the app: an address, a pasted text of several lines, a JSON answer. */

/** What was found. Characters are counted as Base64 digits with their padding. */
export type PayloadText =
  /**
   * One whole payload, in standard Base64 without line breaks. More than one candidate when a space in the text could
   * have been a `+` or nothing: only opening can tell.
   */
  | { readonly outcome: 'found'; readonly candidates: readonly string[] }
  | { readonly outcome: 'missing'; readonly where: string }
  | { readonly outcome: 'malformed'; readonly problem: string }
  | { readonly outcome: 'incomplete'; readonly actual: number; readonly expected: number }
  | { readonly outcome: 'too_long'; readonly actual: number; readonly expected: number }

/**
 * Reads `response`: the address that a browser was sent to (of any scheme), or a part of it from `payload=` on; the
 * payload itself, on one line or several, percent-encoded up to three times, with spaces where a second decoding
 * made them of plus signs, in the URL-safe alphabet, without its last `=`, or in quotes; or the JSON answer with
 * `payload` or `redirect_url`. `expected` is how many characters the key pair's payloads have.
 */
export function findPayload(response: string, expected: number): PayloadText {
  const text = response.trim()
  if (text.startsWith('{')) return findInJson(text, expected)
  const inAddress = [...text.matchAll(/(?:^|[?&#])payload=([^&#]*)/g)]
  if (inAddress.length > 1)
    return { outcome: 'malformed', problem: 'the address holds more than one payload' }
  const found = inAddress[0]?.[1]
  if (found !== undefined) {
    return found.trim() === '' ? { outcome: 'missing', where: 'the address' } : measure(found, expected)
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { outcome: 'missing', where: 'the address' }
  return text === '' ? { outcome: 'missing', where: 'an empty text' } : measure(text, expected)
}

/** How many Base64 characters a payload has that is sealed with a key of this modulus (protocol §4.4). */
export function payloadLength(modulusBase64Url: string): number {
  const modulusBytes = Math.floor((modulusBase64Url.length * 3) / 4)
  return 4 * Math.ceil(modulusBytes / 3)
}

/** Not with a JSON parser: a pasted answer may not have arrived to its end. */
function findInJson(text: string, expected: number): PayloadText {
  const value = /"(payload|redirect_url)"\s*:\s*"((?:[^"\\]|\\.)*)/s.exec(text)?.[2]
  if (value === undefined) return { outcome: 'missing', where: 'the json answer' }
  return findPayload(
    value.replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => character(code)),
    expected,
  )
}

function measure(encoded: string, expected: number): PayloadText {
  const text = decodePercent(encoded)
    // Line breaks that a JSON or a programmer's string wrote as two characters, and JSON's slash.
    .replace(/\\[nr]/g, '\n')
    .replaceAll('\\/', '/')
    .replaceAll('\u200b', '')
    .trim()
    .replace(/^["'`]+|["'`,;]+$/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  const odd = /[^A-Za-z0-9+/=\s]/.exec(text)?.[0]
  if (odd !== undefined) {
    return { outcome: 'malformed', problem: `${JSON.stringify(odd)} is no character of base64` }
  }
  if (/=\s*[^=\s]/.test(text)) return { outcome: 'malformed', problem: 'it goes on after its end' }

  const readings = readSpaces(text).map(repad)
  const candidates = [...new Set(readings)].filter((reading) => reading.length === expected)
  if (candidates.length > 0) return { outcome: 'found', candidates }
  const actual = readings[0]?.length ?? 0
  return { outcome: actual < expected ? 'incomplete' : 'too_long', actual, expected }
}

/** The ways to read white space: as nothing; a space as a lost `+`; the same, but not where lines are indented. */
function readSpaces(text: string): readonly string[] {
  const joined = text.replace(/[\r\n\t]/g, '')
  const withoutIndents = text.replace(/[ \t]*[\r\n]+[ \t]*/g, '')
  return [text.replace(/\s/g, ''), joined.replaceAll(' ', '+'), withoutIndents.replaceAll(' ', '+')]
}

/** Base64's own padding, whether or not it survived; a cut-off text keeps the length it has. */
function repad(text: string): string {
  const digits = text.replace(/=+$/, '')
  const needed = (4 - (digits.length % 4)) % 4
  return needed === 3 ? digits : digits + '='.repeat(needed)
}

/** Base64 holds no `%`, so that whatever is left of one is an encoding: undone once by no one, twice by some. */
function decodePercent(text: string): string {
  let decoded = text
  for (let round = 0; round < 3 && /%[0-9a-f]{2}/i.test(decoded); round++) {
    decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, code: string) => character(code))
  }
  // An escape that was cut in two at the end of the text.
  return decoded.replace(/%[0-9a-f]?$/i, '')
}

function character(hexadecimal: string): string {
  return String.fromCharCode(Number.parseInt(hexadecimal, 16))
}
