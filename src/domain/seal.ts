import { constants, publicEncrypt } from 'node:crypto'
import { encodeMimeBase64 } from '../protocol/base64.ts'
import type { RsaPublicKey } from '../protocol/public-key.ts'
import type { Padding } from '../protocol/rsaes.ts'

const nodePaddings: Readonly<Record<Padding, number>> = {
  pkcs1: constants.RSA_PKCS1_PADDING,
  oaep: constants.RSA_PKCS1_OAEP_PADDING,
}

/**
 * Seals a text for the holder of the private key: what the protocol's `sealPayload` does anywhere, done by Node's own RSA,
 * which takes a third of the time that WebCrypto takes. Returns MIME Base64. Throws when the text is too long: ask
 * `checkPayloadSize` first.
 */
export function seal({ spki }: Pick<RsaPublicKey, 'spki'>, padding: Padding, text: string): string {
  const key = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength)
  const sealed = publicEncrypt(
    { key, format: 'der', type: 'spki', padding: nodePaddings[padding], oaepHash: 'sha1' },
    Buffer.from(text),
  )
  return encodeMimeBase64(sealed)
}
