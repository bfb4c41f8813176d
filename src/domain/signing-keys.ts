/**
 * The keys that sign what an application behind Hallpass is told about who sent a request: pairs on the curve P-256, for
 * ES256 (RFC 7518 §3.4). They are made on first use, kept in the store and exchanged by a job. Whoever reads them can
 * sign; a site owner who wants them out of the database gives a key of their own instead.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { commit } from './commit.ts'
import { systemActor } from './events.ts'
import { counted, type Job, turnedOff } from './job.ts'
import type { Domain } from './ports.ts'
import { type SigningKeyRecord, StoreUnavailable } from './store.ts'

/** A key to sign with. */
export interface SigningKey {
  /** Its thumbprint (RFC 7638), by which verifiers find it. */
  readonly kid: string
  readonly privateKey: KeyObject
  /** The public half, as a JWK for a JWK set (RFC 7517). */
  readonly publicJwk: Readonly<Record<string, string>>
}

/** Where signing keys come from. */
export interface SigningKeys {
  /** The key to sign with now. Made, if there is none. */
  current(): Promise<SigningKey>
  /** Every key that signs now, will soon, or did lately: those that verifiers must know. */
  published(): Promise<readonly SigningKey[]>
  /** Reads them again when they are next asked for: another process may have changed them. */
  forget(): void
}

const hourMs = 3_600_000

/** How long verifiers may know a key before anything is signed with it: longer than they keep a JWK set. */
const leadMs = hourMs

/** How long a key stays published after another took its place: longer than anything that it signed is valid. */
const keptMs = 24 * hourMs

/** Another process may have made or taken away a key; within the lead there is time to hear of it. */
const rereadAfterMs = 60_000

/**
 * The keys of the store or, with `own`, that one alone.
 *
 * @throws TypeError when `own` is no private key in PEM form on the curve P-256
 */
export function createSigningKeys(domain: Domain, own: string | undefined): SigningKeys {
  if (own !== undefined) {
    const key = readOwnKey(own)
    return { current: async () => key, published: async () => [key], forget: () => {} }
  }
  let known: { readonly keys: readonly KnownKey[]; readonly readAt: number } | undefined

  async function load(): Promise<readonly KnownKey[]> {
    const now = domain.clock.now()
    if (known && now - known.readAt < rereadAfterMs) return known.keys
    const kept = known?.keys ?? []
    const records = await domain.store.signingKeys.list().catch((error: unknown) => {
      // What was known lately still signs: nothing is signed that was not decided about just now.
      if (known && error instanceof StoreUnavailable) return undefined
      throw error
    })
    if (records === undefined) return kept
    const keys = (records.length > 0 ? records : [await makeFirst(domain)]).map(
      (record) => kept.find(({ kid }) => kid === record.kid) ?? knownKey(record),
    )
    known = { keys, readAt: now }
    return keys
  }

  return {
    async current() {
      const keys = await load()
      const now = domain.clock.now()
      const active = keys.filter(({ activeFrom }) => activeFrom <= now).at(-1) ?? keys[0]
      if (!active) throw new TypeError('there is no signing key')
      return active
    },
    published: load,
    forget() {
      if (known) known = { ...known, readAt: Number.NEGATIVE_INFINITY }
    },
  }
}

/** Makes a new signing key once the newest is older than the setting says, and deletes those that signed before it. */
export const rotateSigningKeys: Job = {
  name: 'rotate-signing-keys',
  description:
    'Makes a new key for signed identities every signing_key_rotation_days, and deletes the one before a day later.',
  everyMs: 6 * hourMs,
  async run(domain, run) {
    const days = domain.settings.current().signing_key_rotation_days
    if (days === 0) return turnedOff('signing_key_rotation_days')
    return run.commit(async (session) => {
      const now = domain.clock.now()
      const keys = await session.signingKeys.list()
      const newest = keys.at(-1)
      const isDue = newest !== undefined && now - newest.createdAt > days * 24 * hourMs
      const made = isDue ? [newRecord(now, now + leadMs)] : []
      // A key has signed its last once the next one is active.
      const old = keys.filter((_, index) => {
        const next = keys[index + 1]
        return next !== undefined && now - next.activeFrom > keptMs
      })
      for (const record of made) await session.signingKeys.insert(record)
      for (const { kid } of old) await session.signingKeys.delete(kid)
      return {
        result: { summary: `${counted(made.length, 'key', 'keys')} made, ${old.length} deleted` },
        events: [
          ...made.map(({ kid }) => ({ type: 'signing_key_made', kid }) as const),
          ...old.map(({ kid }) => ({ type: 'signing_key_deleted', kid }) as const),
        ],
      }
    })
  },
}

interface KnownKey extends SigningKey {
  readonly activeFrom: number
}

/** The first key signs at once: nobody can have a JWK set that lacks it. */
async function makeFirst(domain: Domain): Promise<SigningKeyRecord> {
  return commit(domain, systemActor, async (session) => {
    const [earlier] = await session.signingKeys.list()
    if (earlier) return { result: earlier, events: [] }
    const now = domain.clock.now()
    const record = newRecord(now, now)
    await session.signingKeys.insert(record)
    return { result: record, events: [{ type: 'signing_key_made', kid: record.kid }] }
  })
}

/** The system's own randomness, not the port's: an elliptic-curve key cannot be made from bytes that are handed in. */
function newRecord(createdAt: number, activeFrom: number): SigningKeyRecord {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kid } = signingKey(privateKey)
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { kid, privateKey: pem, createdAt, activeFrom }
}

function knownKey({ privateKey, activeFrom }: SigningKeyRecord): KnownKey {
  return { ...signingKey(createPrivateKey(privateKey)), activeFrom }
}

function signingKey(privateKey: KeyObject): SigningKey {
  const { crv = '', kty = '', x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
  return { kid, privateKey, publicJwk: { kty, crv, x, y, kid, use: 'sig', alg: 'ES256' } }
}

function readOwnKey(pem: string): SigningKey {
  let key: KeyObject | undefined
  try {
    key = createPrivateKey(pem)
  } catch {
    // What is wrong with it is said below, without a word of what was in it.
  }
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new TypeError(
      'the signing key must be a private key in PEM form on the curve P-256 (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256)',
    )
  }
  return signingKey(key)
}
