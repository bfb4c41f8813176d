/** `Authorization: Basic`, as clients of OAuth send their name and secret (RFC 6749 §2.3.1, RFC 7617). */

/** The two halves of the header; undefined for a header of another scheme or one that cannot be read. */
export function readBasic(
  header: string | null,
): { readonly name: string; readonly secret: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(header?.trim() ?? '') ?? []
  if (encoded === undefined) return undefined
  const [, name = '', secret = ''] =
    /^([^:]*):?(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
  return { name: formDecoded(name), secret: formDecoded(secret) }
}

/** Both halves are form-encoded there (RFC 6749 §2.3.1). */
function formDecoded(text: string): string {
  return new URLSearchParams(`value=${text.replaceAll('&', '%26')}`).get('value') ?? ''
}
