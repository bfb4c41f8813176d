import { generateKeyPairSync } from 'node:crypto'

/** What the consent page sends; `{n}` stands where each request differs, so that it is of a client of its own. */
export function approvalForm(): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const form = new URLSearchParams({
    application_name: 'Bench app',
    client_id: 'bench-issued-COUNT',
    scopes: 'read,write',
    nonce: 'nonce-COUNT',
    public_key: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    padding: 'oaep',
  })
  return form.toString().replaceAll('COUNT', '{n}')
}
