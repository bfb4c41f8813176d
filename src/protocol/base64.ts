/** Base64 (RFC 4648, RFC 2045) as strictly as the wire asks when writing, and as leniently as clients need when reading. */

/** MIME Base64 as the wire has it: a line feed after every 60 characters and at the end (protocol §4.4). */
export function encodeMimeBase64(bytes: Uint8Array): string {
  return encodeBase64(bytes).replace(/.{1,60}/g, '$&\n')
}

/** Base64 in one line, standard alphabet, padded (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  // Not `String.fromCharCode(...bytes)`, which fails when there are more bytes than an engine takes arguments.
  let characters = ''
  for (const byte of bytes) characters += String.fromCharCode(byte)
  return btoa(characters)
}

/** Base64 in one line, URL-safe alphabet, without padding (RFC 4648 §5). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * The bytes behind Base64, or undefined when `text` is not Base64. Tolerates what happens to Base64 on its way: line
 * breaks and white space anywhere, the URL-safe alphabet, missing padding, and percent-encoding that nobody undid
 * (protocol §4.4). A space counts as white space here, never as a `+`.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const compact = text
    .replace(/%(?:0[ad]|2[0bf]|3d)/gi, (encoded) =>
      String.fromCharCode(Number.parseInt(encoded.slice(1), 16)),
    )
    .replace(/\s/g, '')
  // A text that mixes the two alphabets is in neither.
  if (/[-_]/.test(compact) && /[+/]/.test(compact)) return undefined
  const end = compact.indexOf('=')
  const padding = end === -1 ? '' : compact.slice(end)
  const digits = (end === -1 ? compact : compact.slice(0, end)).replaceAll('-', '+').replaceAll('_', '/')
  const needed = (4 - (digits.length % 4)) % 4
  if (needed === 3 || padding.length > needed || /[^=]/.test(padding) || /[^a-z0-9+/]/i.test(digits)) {
    return undefined
  }
  const characters = atob(digits)
  const bytes = new Uint8Array(characters.length)
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index)
  return bytes
}
