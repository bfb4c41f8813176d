import type {
  AuditRecord,
  ClientRecord,
  NewAccount,
  NewApiKey,
  NewUserApiKey,
  Store,
} from '../../domain/store.ts'

/** A time like those that the store is given: beyond 32 bits. */
export const now = 1_800_000_000_000

/** A hash that differs from letter to letter: `hash('a')` is 64 letters long. */
export function hash(letter: string): string {
  return letter.repeat(64)
}

export function insertClient(store: Store, clientId = 'client-1'): Promise<ClientRecord> {
  return store.clients.insert({ clientId, applicationName: 'An App', createdAt: now })
}

export function userApiKey(client: ClientRecord, change: Partial<NewUserApiKey> = {}): NewUserApiKey {
  return {
    userId: '1',
    clientRowId: client.id,
    keyHash: hash('a'),
    scopes: [{ name: 'read', allowedParameters: null }],
    pushUrl: null,
    createdAt: now,
    expiresAt: null,
    ...change,
  }
}

export function apiKey(change: Partial<NewApiKey> = {}): NewApiKey {
  return {
    userId: null,
    createdById: '1',
    keyHash: hash('a'),
    truncatedKey: 'abcd',
    description: 'a server',
    scopeMode: 'global',
    scopes: [],
    allowedIps: [],
    hidden: false,
    createdAt: now,
    ...change,
  }
}

export function account(change: Partial<NewAccount> = {}): NewAccount {
  return {
    username: 'alice',
    name: 'Alice',
    email: 'alice@example.com',
    passwordHash: '$hash',
    admin: false,
    moderator: false,
    trustLevel: 1,
    active: true,
    suspendedUntil: null,
    createdAt: now,
    ...change,
  }
}

export function auditRecord(sequence: number, change: Partial<AuditRecord> = {}): AuditRecord {
  return {
    sequence,
    at: now + sequence,
    actorUserId: '1',
    actorVia: 'session',
    actorAddress: '192.0.2.1',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    action: 'user_created',
    details: '{"userId":"2"}',
    previousHash: hash(sequence === 1 ? '0' : String(sequence - 1)),
    hash: hash(String(sequence)),
    ...change,
  }
}
