/** The text around a key: what it calls itself, and the Base64 inside (RFC 7468). */

/** A PEM block taken apart. */
export interface PemText {
  /** What stands between BEGIN and the dashes, in capitals, with single spaces; undefined when there is no such line. */
  readonly label: string | undefined
  /** All between the first line and the last, untouched. All of the text when it has neither. */
  readonly body: string
}

/**
 * Undoes escapes that were meant to be undone on the way and were not: percent-encoding (once or twice), the two
 * characters `\n` for a line break, `\/` for a slash. Neither `%` nor `\` belongs to a PEM, so that nothing is guessed.
 */
export function undoEscapes(text: string): string {
  const unescaped = undoPercentEncoding(undoPercentEncoding(text))
  return unescaped.replace(/\\[nr]/g, '\n').replaceAll('\\', '')
}

/** Finds the first public key in a text, or else the first PEM block of any kind, or else takes the text as it is. */
export function findPem(text: string): PemText {
  // Text before and after a block is no part of it (RFC 7468 §5.2); several tools write some.
  const publicKey = text.search(/-----BEGIN[\s+]*(?:RSA[\s+]*)?PUBLIC[\s+]*KEY-----/i)
  const begin = publicKey === -1 ? text.indexOf(beginMark) : publicKey
  const labelEnd = begin === -1 ? -1 : text.indexOf(dashes, begin + beginMark.length)
  const bodyStart = labelEnd === -1 ? 0 : labelEnd + dashes.length
  const bodyEnd = text.indexOf(dashes, bodyStart)
  return {
    label: labelEnd === -1 ? undefined : readLabel(text.slice(begin + beginMark.length, labelEnd)),
    body: text.slice(bodyStart, bodyEnd === -1 ? undefined : bodyEnd),
  }
}

/** Says whether a private key is anywhere in the text, be it in PEM, in PuTTY's form or as a JSON Web Key. */
export function holdsPrivateKey(text: string): boolean {
  return (
    /-BEGIN[a-z0-9\s+]{0,24}PRIVATE/i.test(text) ||
    text.includes('PuTTY-User-Key-File') ||
    (isJsonWebKey(text) && /"d"\s{0,9}:/.test(text))
  )
}

/** Names the text when it is a key in a form that is not PEM, or a PEM of another kind; else undefined. */
export function nameOtherForm(text: string, label: string | undefined): string | undefined {
  const start = text.trimStart()
  if (/^(?:ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)/.test(start) || start.startsWith('---- BEGIN SSH2')) {
    return 'a key in the form of SSH (`ssh-keygen -e -m PKCS8 -f key.pub` turns an RSA one into PEM)'
  }
  if (isJsonWebKey(text)) return 'a JSON Web Key; PEM is needed'
  if (label?.startsWith('PGP')) return 'an OpenPGP key'
  if (label?.endsWith('CERTIFICATE REQUEST')) return 'a certificate request'
  return undefined
}

const dashes = '-----'
const beginMark = '-----BEGIN'

function undoPercentEncoding(text: string): string {
  return text.replace(/%[0-7][0-9a-f]/gi, (encoded) =>
    String.fromCharCode(Number.parseInt(encoded.slice(1), 16)),
  )
}

/** Form encoding that nobody undid leaves a plus sign for a space, and a label holds no plus sign. */
function readLabel(text: string): string {
  return text
    .replace(/[\s+]+/g, ' ')
    .trim()
    .toUpperCase()
}

function isJsonWebKey(text: string): boolean {
  return text.trimStart().startsWith('{') && text.includes('"kty"')
}
