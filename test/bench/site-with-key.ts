/** A Hallpass on an SQLite database in memory, with local accounts, one of whose users has approved an app. */
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto'
import { hashSecret } from '../../src/domain/key-text.ts'
import type { Store } from '../../src/domain/store.ts'
import { createHallpass } from '../../src/server/create-hallpass.ts'
import type { Hallpass } from '../../src/server/hallpass.ts'
import { openSqliteStore } from '../../src/storage/open-store.ts'

export interface SiteWithKey {
  readonly hallpass: Hallpass
  readonly store: Store
  /** The text of a key with the scope `read`. */
  readonly key: string
  /** What the press of the button on the consent page sends, for the app with this client id. */
  approval(clientId: string): Request
  /** Another Hallpass on the same store, which has seen no key. */
  another(): Promise<Hallpass>
  close(): Promise<void>
}

export const siteAddress = 'https://site.test'

export async function siteWithKey(): Promise<SiteWithKey> {
  const store = await openSqliteStore({ path: ':memory:' })
  const another = (): Promise<Hallpass> =>
    createHallpass({
      store,
      baseUrl: siteAddress,
      trustedProxies: ['127.0.0.1'],
      pinnedSettings: { disable_rate_limits: 'true' },
      background: false,
      flushIntervalMs: 0,
      hearOthers: false,
      log: () => {},
    })
  const hallpass = await another()
  const account = { username: 'sam', password: 'a password of a test', name: '', email: '', admin: false }
  const made = await hallpass.createAccount(account)
  if (made.outcome === 'refused') throw new Error(made.refusal.message)
  const token = 'a'.repeat(64)
  const user = await store.accounts.findByUsername('sam')
  const now = Date.now()
  await store.sessions.insert({
    tokenHash: hashSecret(token),
    userId: String(user?.id),
    createdAt: now,
    expiresAt: now + 10 * 365 * 86_400_000,
  })
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const csrf = await hallpass.fetch(new Request(`${siteAddress}/session/csrf.json`))
  const { csrf: csrfToken } = (await csrf.json()) as { csrf: string }
  const [secret = ''] = (csrf.headers.get('set-cookie') ?? '').split(';')
  const headers = { accept: 'application/json', cookie: `_t=${token}; ${secret}`, 'x-csrf-token': csrfToken }

  const approval = (clientId: string): Request =>
    new Request(`${siteAddress}/user-api-key`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({
        application_name: 'An app',
        client_id: clientId,
        scopes: 'read',
        nonce: 'a nonce',
        public_key: publicKey,
        padding: 'oaep',
      }),
    })

  const answer = await hallpass.fetch(approval('first'))
  const { payload } = (await answer.json()) as { payload: string }
  const opened = privateDecrypt(
    { key: pair.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING },
    Buffer.from(payload, 'base64'),
  )
  const { key } = JSON.parse(opened.toString()) as { key: string }
  return {
    hallpass,
    store,
    key,
    approval,
    another,
    async close() {
      await hallpass.close()
      await store.close()
    },
  }
}
