/**
 * The Store port: all that Hallpass keeps. `storage/` implements it; `testing/store-contract/` says what every
 * implementation must do. Times are milliseconds since the Unix epoch. Ids of rows are positive integers.
 */
import type { ApiKeyScopeMode, GrantedApiKeyScope } from '../protocol/api-key-scopes.ts'
import type { GrantedScope } from '../protocol/scopes.ts'
import type { CacheChange } from './changes.ts'
import type { Observer } from './observation.ts'

export type { ApiKeyScopeMode, GrantedApiKeyScope, GrantedScope }

/** An app's installation, as first seen or as registered (protocol §15 `user_api_key_clients`). */
export interface ClientRecord {
  readonly id: number
  readonly clientId: string
  readonly applicationName: string
  /** PEM, only for a registered client. */
  readonly publicKey: string | null
  /** Only for a registered client. */
  readonly authRedirect: string | null
  /** The scopes that a registered client may ask for; empty for any other. */
  readonly registeredScopes: readonly string[]
  readonly createdAt: number
}

/** A user API key at rest (protocol §15 `user_api_keys`), with its client and scopes. */
export interface UserApiKeyRecord {
  readonly id: number
  readonly userId: string
  /** The client's row. */
  readonly client: { readonly id: number; readonly clientId: string; readonly applicationName: string }
  /** SHA-256 of the key's text, lower-case hexadecimal. */
  readonly keyHash: string
  readonly scopes: readonly GrantedScope[]
  readonly pushUrl: string | null
  readonly createdAt: number
  readonly lastUsedAt: number
  /** How often it was used; counted since this is recorded. */
  readonly useCount: number
  readonly revokedAt: number | null
  readonly expiresAt: number | null
}

export interface NewUserApiKey {
  readonly userId: string
  readonly clientRowId: number
  readonly keyHash: string
  readonly scopes: readonly GrantedScope[]
  readonly pushUrl: string | null
  readonly createdAt: number
  readonly expiresAt: number | null
}

/** An administrator's API key at rest (protocol §11, §15 `api_keys`). */
export interface ApiKeyRecord {
  readonly id: number
  /** The user it acts for; null when it acts for any. */
  readonly userId: string | null
  readonly createdById: string | null
  /** SHA-256 of the key's text, lower-case hexadecimal. */
  readonly keyHash: string
  /** The first four characters of the key's text. */
  readonly truncatedKey: string
  readonly description: string
  readonly scopeMode: ApiKeyScopeMode
  /** What it may do; of no effect in the mode `global`. */
  readonly scopes: readonly GrantedApiKeyScope[]
  /** The addresses and ranges that it may be used from; empty for everywhere. */
  readonly allowedIps: readonly string[]
  /** Whether lists leave it out. */
  readonly hidden: boolean
  readonly createdAt: number
  readonly updatedAt: number
  readonly lastUsedAt: number | null
  /** How often it was used; counted since this is recorded. */
  readonly useCount: number
  readonly revokedAt: number | null
}

export type NewApiKey = Omit<ApiKeyRecord, 'id' | 'updatedAt' | 'lastUsedAt' | 'useCount' | 'revokedAt'>

/** What of an API key may change once it is made. */
export type ApiKeyChange = Partial<Pick<ApiKeyRecord, 'description' | 'allowedIps'>>
/** What a job looks at of a user API key; there are many, and their scopes do not matter to it. */
export type UserApiKeyAge = Omit<UserApiKeyRecord, 'scopes' | 'pushUrl' | 'useCount'>

/** That a key was used so many times, and when last. */
export interface KeyUse {
  readonly id: number
  readonly lastUsedAt: number
  readonly count: number
}

/** What a job looks at of an API key. */
export type ApiKeyAge = Pick<
  ApiKeyRecord,
  'id' | 'userId' | 'keyHash' | 'createdAt' | 'updatedAt' | 'lastUsedAt'
>

/** What a job looks at of a client. */
export type ClientAge = Pick<ClientRecord, 'id' | 'clientId' | 'applicationName' | 'createdAt'>

/** A page of rows in the order of a time, oldest first; of those with one time, the lowest id first. */
export interface AgePage {
  /** Only rows whose time is earlier than this. */
  readonly before: number
  /** Only rows after this one, the last of the page before. Default: from the oldest on. */
  readonly after?: AgeCursor
  readonly limit: number
}

export interface AgeCursor {
  readonly at: number
  readonly id: number
}

/** A local account at rest. */
export interface AccountRecord {
  readonly id: number
  readonly username: string
  readonly name: string
  /** Empty when not given. */
  readonly email: string
  readonly passwordHash: string
  readonly admin: boolean
  readonly moderator: boolean
  readonly trustLevel: number
  readonly active: boolean
  readonly suspendedUntil: number | null
  readonly createdAt: number
}

/** What of an account decides about its keys. */
export type AccountFacts = Omit<AccountRecord, 'email' | 'passwordHash'>

/** A key, and the local account that it belongs to; undefined where there is none with exactly that id. */
export interface WithAccount<Key> {
  readonly key: Key
  readonly account: AccountFacts | undefined
}

export type NewAccount = Omit<AccountRecord, 'id'>
export type AccountChange = Partial<
  Pick<
    AccountRecord,
    'admin' | 'moderator' | 'trustLevel' | 'active' | 'suspendedUntil' | 'passwordHash' | 'name' | 'email'
  >
>

/** An account at another service: which, and the name that the service itself knows it by. */
export interface ExternalSubject {
  /** Such as `openid-connect https://id.example.com`. */
  readonly provider: string
  readonly subject: string
}

/** A browser session at rest. */
export interface SessionRecord {
  /** SHA-256 of the cookie's token, lower-case hexadecimal. */
  readonly tokenHash: string
  readonly userId: string
  readonly createdAt: number
  readonly expiresAt: number
}

/** What a client registers of itself (protocol §7.2). */
export interface ClientRegistrationRecord {
  /** PEM, as it came. */
  readonly publicKey: string
  /** SHA-256 of the key as SubjectPublicKeyInfo: the same for every text of the key. */
  readonly publicKeyFingerprint: string
  readonly authRedirect: string
  readonly scopes: readonly string[]
}

/** A one-time password at rest (protocol §6.2). */
export interface OneTimePasswordRecord {
  /** SHA-256 of the one-time password, lower-case hexadecimal. */
  readonly tokenHash: string
  readonly userId: string
  /** The user's name when it was made: under another name it does not work (protocol §6.3). */
  readonly username: string
  readonly createdAt: number
  readonly expiresAt: number
}

/** A request that waits for its user to sign in. */
export interface ParkedRequestRecord {
  /** Short, random, URL-safe. */
  readonly id: string
  /** The request's parameters by their wire names, as they came. */
  readonly parameters: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly expiresAt: number
}

/** An app's request in the device flow (protocol §5), at rest: its codes only as hashes. */
export interface DeviceRequestRecord {
  /** SHA-256 of the device code, lower-case hexadecimal. It names the request. */
  readonly deviceCodeHash: string
  /** SHA-256 of the user code; null once the request is authorized, when the code stops working. */
  readonly userCodeHash: string | null
  /** SHA-256 of the request token; null once the request is authorized. */
  readonly requestTokenHash: string | null
  /** `sealed`: the key is issued when the user approves, and waits as a sealed payload. `open`: it is issued to the poll. */
  readonly delivery: 'sealed' | 'open'
  readonly status: 'pending' | 'authorized' | 'denied'
  /** The request's parameters by their wire names, as they came. */
  readonly parameters: Readonly<Record<string, string>>
  /** When the key to be issued expires; null for never. Fixed when the request was made. */
  readonly keyExpiresAt: number | null
  /** The user who typed its code; nobody else can decide on it from then on. */
  readonly userId: string | null
  /** The sealed payload; null unless authorized, and for `open` delivery. */
  readonly payload: string | null
  readonly createdAt: number
  /** When nobody can decide on it or poll for it any more. */
  readonly expiresAt: number
}

/** A device request as it is made: pending, and nobody's. */
export type NewDeviceRequest = Omit<
  DeviceRequestRecord,
  'status' | 'userId' | 'payload' | 'userCodeHash' | 'requestTokenHash'
> & { readonly userCodeHash: string; readonly requestTokenHash: string }

/** What lets one browser session decide on one device request. */
export interface DeviceApprovalRecord {
  /** SHA-256 of the approval token. */
  readonly tokenHash: string
  /** Names the browser session that the token was given to; a hash. */
  readonly sessionHash: string
  readonly userId: string
  readonly deviceCodeHash: string
  readonly createdAt: number
}

/** What became of a push: it waits, it arrived, or it was given up. */
export type PushState = 'pending' | 'delivered' | 'dead'

/** A push in the outbox (protocol §9): one request to one address, for one user's apps. */
export interface PushDeliveryRecord {
  /** Pushes to one address go out in the order of their ids. */
  readonly id: number
  readonly targetUrl: string
  /** Whose apps it is for. */
  readonly userId: string
  /** JSON text of what is pushed, without `secret_key`; empty once delivered. */
  readonly body: string
  readonly state: PushState
  readonly createdAt: number
  /** How often sending it was begun. */
  readonly attempts: number
  readonly nextAttemptAt: number
  /** Until when whoever is sending it may take it for theirs; null when nobody is. */
  readonly leasedUntil: number | null
  /** The HTTP status of the last answer; null when there was none. */
  readonly lastStatus: number | null
  /** What went wrong last, for people; null when nothing did. */
  readonly lastError: string | null
  /** When it was delivered or given up; null while it waits. */
  readonly finishedAt: number | null
}

export type NewPushDelivery = Pick<PushDeliveryRecord, 'targetUrl' | 'userId' | 'body' | 'createdAt'>

/** What came of sending a push. */
export interface PushOutcome {
  readonly state: PushState
  readonly at: number
  /** For one that waits on. */
  readonly nextAttemptAt?: number
  readonly status: number | null
  readonly error: string | null
}

/** One line of the audit log. */
export interface AuditRecord {
  /** 1, 2, 3, … without a gap. */
  readonly sequence: number
  readonly at: number
  readonly actorUserId: string | null
  readonly actorVia: string
  readonly actorAddress: string | null
  readonly action: string
  /** JSON text of what the event held. */
  readonly details: string
  /** The trace of the request that caused it: 32 hexadecimal digits; null where there was none. */
  readonly traceId: string | null
  /** The hash of the entry before; 64 zeros for the first. */
  readonly previousHash: string
  readonly hash: string
}

/** Which entries of the audit log are wanted; all that is given must fit. */
export interface AuditFilter {
  readonly action?: string
  readonly actorUserId?: string
  readonly actorVia?: string
  /** Milliseconds since the epoch; the first that fits, and the first that fits no more. */
  readonly since?: number
  readonly until?: number
  readonly traceId?: string
  /** What the details must hold: values by their name. */
  readonly details?: Readonly<Record<string, string | number>>
}

/** What is known of a job: how it went last, when it is due, and who runs it now. */
export interface JobRunRecord {
  readonly name: string
  readonly lastStartedAt: number | null
  /** Null until the first run has ended. Earlier than the last start while a run goes on, or when its process died. */
  readonly lastFinishedAt: number | null
  readonly outcome: 'succeeded' | 'failed' | 'interrupted' | null
  /** What the last run says for people; empty before the first. */
  readonly summary: string
  /** How many runs in a row have failed. */
  readonly failures: number
  readonly nextRunAt: number
  /** Names the run that holds the job; null when none does. */
  readonly leaseOwner: string | null
  /** Until when it holds it, unless it renews the lease. */
  readonly leaseUntil: number | null
}

/** The end of a job's run. */
export type JobRunEnd = Pick<JobRunRecord, 'summary' | 'failures' | 'nextRunAt'> & {
  readonly outcome: 'succeeded' | 'failed' | 'interrupted'
  readonly finishedAt: number
}

/** A key pair that signs identities; only the private half is kept, from which the public one follows. */
export interface SigningKeyRecord {
  /** Its thumbprint (RFC 7638). */
  readonly kid: string
  /** PKCS #8 in PEM form. */
  readonly privateKey: string
  readonly createdAt: number
  /** When it begins to sign. */
  readonly activeFrom: number
}

/** A change that other processes on the database have to hear of. */
export interface CacheChangeRecord extends CacheChange {
  /** That of the entry in the audit log that it belongs to; an entry may have several changes. */
  readonly sequence: number
  readonly at: number
  /** Names the process that committed it. */
  readonly origin: string
}

/** Who hears that others have committed something. */
export interface ChangeListener {
  /**
   * Something was committed, by whomever: called at least once for one commit or for many, and perhaps for nothing.
   * `changes`: what of it is known already, to be forgotten at once. All of it stands in the store.
   */
  onCommit(changes?: readonly CacheChange[]): void
  /**
   * Commits cannot be heard at the moment. That is mended without further ado, and then `onCommit` is called.
   */
  onLost(error: unknown): void
}

/** What came of deleting up to a limit. */
export interface Deleted {
  readonly deleted: number
  /** True when there may be more to delete. */
  readonly more: boolean
}

export interface SettingRecord {
  readonly name: string
  /** The wire's text form. */
  readonly value: string
  readonly updatedAt: number
}

/**
 * Thrown by an insert whose unique value is taken; nothing was inserted. Inside a transaction let it out and run the
 * transaction again: some databases accept no further statement in a transaction in which one has failed.
 */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation'
  /** What was taken. */
  readonly field: UniqueField

  constructor(field: UniqueField, options?: ErrorOptions) {
    super(`\`${field}\` is taken`, options)
    this.field = field
  }
}

/**
 * Thrown where the database does not answer, or not in time, and so nothing can be told for certain. A transaction that was
 * under way may yet be committed.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/** The values that the store keeps unique. */
export type UniqueField =
  | 'client_id'
  | 'key_hash'
  | 'username'
  | 'token_hash'
  | 'request_id'
  | 'device_request'
  | 'sequence'
  | 'external_account'

/**
 * What may be asked of the store, inside a transaction or out of one. Each method by itself happens whole or not at
 * all. An insert whose unique value is taken throws a {@link UniqueViolation}.
 */
export interface StoreSession {
  readonly clients: {
    findByClientId(clientId: string): Promise<ClientRecord | undefined>
    /** The client that was the first to register the key with this fingerprint. */
    findByPublicKey(fingerprint: string): Promise<ClientRecord | undefined>
    /** Inserts a client, unregistered unless `registration` is given. Throws when the client id is taken. */
    insert(client: {
      readonly clientId: string
      readonly applicationName: string
      readonly createdAt: number
      readonly registration?: ClientRegistrationRecord
    }): Promise<ClientRecord>
    rename(id: number, applicationName: string): Promise<void>
    /**
     * Registered clients made before `page.before`, none of whose keys was used at or after it, in the order of their
     * making.
     */
    listUnused(page: AgePage): Promise<readonly ClientAge[]>
    /** Deletes the client, and with it its scopes and keys. */
    delete(id: number): Promise<void>
  }
  readonly userApiKeys: {
    findByHash(keyHash: string): Promise<UserApiKeyRecord | undefined>
    /** The same with the local account of its user, in one read. */
    findByHashWithAccount(keyHash: string): Promise<WithAccount<UserApiKeyRecord> | undefined>
    findById(id: number): Promise<UserApiKeyRecord | undefined>
    /** All keys of the user, newest first, whatever their state. */
    listByUser(userId: string): Promise<readonly UserApiKeyRecord[]>
    insert(key: NewUserApiKey): Promise<UserApiKeyRecord>
    /** Deletes the user's keys of this client, with their scopes; answers with what was deleted. */
    deleteByUserAndClient(userId: string, clientRowId: number): Promise<readonly UserApiKeyRecord[]>
    setRevokedAt(id: number, revokedAt: number | null): Promise<void>
    /** Makes the key one of another client. */
    setClient(id: number, clientRowId: number): Promise<void>
    /** Whether anybody but the user has a key of the client, in whatever state. */
    hasOtherOwner(clientRowId: number, userId: string): Promise<boolean>
    /** Keys that are not revoked, expired or not, by the time of last use or of making. */
    listUnrevoked(by: 'lastUsedAt' | 'createdAt', page: AgePage): Promise<readonly UserApiKeyAge[]>
    /** Revokes at once as many keys as a page holds. */
    revokeAll(ids: readonly number[], revokedAt: number): Promise<void>
    /** Deletes up to `limit` keys of the client, with their scopes; answers with what was deleted. */
    deleteByClient(clientRowId: number, limit: number): Promise<readonly UserApiKeyAge[]>
    /** Moves last use forward, never back, and adds to the count of uses. */
    touch(uses: readonly KeyUse[]): Promise<void>
  }
  readonly apiKeys: {
    findByHash(keyHash: string): Promise<ApiKeyRecord | undefined>
    /** The same with the local account of its user, in one read. */
    findByHashWithAccount(keyHash: string): Promise<WithAccount<ApiKeyRecord> | undefined>
    findById(id: number): Promise<ApiKeyRecord | undefined>
    /** Without the hidden ones. Never-revoked first, then last revoked first, then newest first (protocol §11.1). */
    list(page: { offset: number; limit: number }): Promise<readonly ApiKeyRecord[]>
    /** How many there are, the hidden ones too. */
    count(): Promise<number>
    insert(key: NewApiKey): Promise<ApiKeyRecord>
    update(id: number, change: ApiKeyChange, updatedAt: number): Promise<void>
    /** Deletes the key and its scopes. */
    delete(id: number): Promise<void>
    setRevokedAt(id: number, revokedAt: number | null, updatedAt: number): Promise<void>
    /** Keys that are not revoked, by the time of making. */
    listUnrevoked(page: AgePage): Promise<readonly ApiKeyAge[]>
    /** Revokes at once as many keys as a page holds. */
    revokeAll(ids: readonly number[], revokedAt: number): Promise<void>
    touch(uses: readonly KeyUse[]): Promise<void>
  }
  readonly accounts: {
    findById(id: number): Promise<AccountRecord | undefined>
    /** By username, or by e-mail when the text holds an `@`; whatever the case of its letters. */
    findByLogin(login: string): Promise<AccountRecord | undefined>
    findByUsername(username: string): Promise<AccountRecord | undefined>
    /** Throws when the username, in any case, is taken. */
    insert(account: NewAccount): Promise<AccountRecord>
    update(id: number, change: AccountChange): Promise<void>
    count(): Promise<number>
  }
  readonly externalAccounts: {
    /** The id of the local account that stands for it. */
    findAccountId(external: ExternalSubject): Promise<number | undefined>
    /** Throws when an account stands for it already. */
    insert(external: ExternalSubject, accountId: number, createdAt: number): Promise<void>
  }
  readonly sessions: {
    find(tokenHash: string): Promise<SessionRecord | undefined>
    insert(session: SessionRecord): Promise<void>
    extend(tokenHash: string, expiresAt: number): Promise<void>
    delete(tokenHash: string): Promise<void>
    deleteByUser(userId: string): Promise<void>
  }
  readonly parkedRequests: {
    find(id: string): Promise<ParkedRequestRecord | undefined>
    insert(request: ParkedRequestRecord): Promise<void>
    /** Deletes it and answers with it; of two that ask at once, one gets it. */
    take(id: string): Promise<ParkedRequestRecord | undefined>
  }
  readonly oneTimePasswords: {
    find(tokenHash: string): Promise<OneTimePasswordRecord | undefined>
    /** Throws when the token is taken. */
    insert(password: OneTimePasswordRecord): Promise<void>
    /** Deletes it, and tells whether it was there and not over at `now`: however many ask at once, one hears true. */
    take(tokenHash: string, now: number): Promise<boolean>
  }
  readonly deviceRequests: {
    find(deviceCodeHash: string): Promise<DeviceRequestRecord | undefined>
    findByUserCode(userCodeHash: string): Promise<DeviceRequestRecord | undefined>
    findByRequestToken(requestTokenHash: string): Promise<DeviceRequestRecord | undefined>
    /** Throws when the device code, the user code or the request token is taken. */
    insert(request: NewDeviceRequest): Promise<void>
    /** Ties a pending request to the user; false when there is none such at `now`, or it is somebody else's. */
    bind(deviceCodeHash: string, userId: string, now: number): Promise<boolean>
    /**
     * Turns a pending request of the user into an authorized one, which waits until `expiresAt`, with the payload if
     * there is one, and has no codes any more; false when there is none such at `now`. Of two that try at once, one succeeds.
     */
    authorize(
      deviceCodeHash: string,
      userId: string,
      change: { readonly payload: string | null; readonly expiresAt: number; readonly now: number },
    ): Promise<boolean>
    /** Turns a pending request of the user into a denied one; false when there is none such at `now`. */
    deny(deviceCodeHash: string, userId: string, now: number): Promise<boolean>
    /**
     * Deletes an authorized request whose time is not over, and answers with it. However many ask at once, one of them
     * gets it.
     */
    take(deviceCodeHash: string, now: number): Promise<DeviceRequestRecord | undefined>
  }
  readonly deviceApprovals: {
    find(tokenHash: string): Promise<DeviceApprovalRecord | undefined>
    /** Inserts, and deletes all but the session's `keep` newest. Throws when the token is taken. */
    insert(approval: DeviceApprovalRecord, keep: number): Promise<void>
  }
  readonly pushDeliveries: {
    find(id: number): Promise<PushDeliveryRecord | undefined>
    /** Newest first. `before` is an id to start below. */
    list(page: {
      readonly state?: PushState | undefined
      readonly targetUrl?: string | undefined
      readonly before?: number | undefined
      readonly limit: number
    }): Promise<readonly PushDeliveryRecord[]>
    counts(): Promise<Readonly<Record<PushState, number>>>
    countPending(targetUrl: string): Promise<number>
    /** The first of those that wait, for every address that any waits for; oldest first. */
    heads(): Promise<readonly PushDeliveryRecord[]>
    /** Inserts one that waits and may be sent at once. Answers with its id. */
    insert(delivery: NewPushDelivery): Promise<number>
    /** Gives up the oldest `count` that wait for the address and that nobody is sending. Answers with their ids. */
    dropOldest(
      targetUrl: string,
      change: { readonly count: number; readonly now: number; readonly problem: string },
    ): Promise<readonly number[]>
    /**
     * Takes one to send it, until `until`, and counts the attempt; undefined unless it is the first of those that wait
     * for its address, its time has come, and nobody is sending to that address. Of two that try at once, one succeeds.
     */
    claim(
      id: number,
      lease: { readonly token: string; readonly now: number; readonly until: number },
    ): Promise<PushDeliveryRecord | undefined>
    /** Notes what came of sending one, and gives it back; false when the lease is not that of `token` any more. */
    settle(id: number, token: string, outcome: PushOutcome): Promise<boolean>
    /** Lets a dead one wait again, with no attempts; false when it is not dead. */
    revive(id: number, now: number): Promise<boolean>
    /**
     * Deletes those that were delivered, and those that were given up, at or before these times, at the most `limit` of
     * each. Answers with how many it were, and whether there may be more.
     */
    deleteFinished(
      until: { readonly delivered: number; readonly dead: number },
      limit: number,
    ): Promise<Deleted>
  }
  readonly settings: {
    all(): Promise<readonly SettingRecord[]>
    put(setting: SettingRecord): Promise<void>
  }
  readonly audit: {
    /** The newest entry, from which the next one's sequence and chain go on. */
    last(): Promise<AuditRecord | undefined>
    append(entry: AuditRecord): Promise<void>
    /**
     * Newest first, those that fit the filter. `before`: a sequence number to start below, by default the end; `from`:
     * the lowest number that is looked at, by default 1.
     */
    list(
      page: { readonly from?: number; readonly before?: number; readonly limit: number },
      filter?: AuditFilter,
    ): Promise<readonly AuditRecord[]>
    /** Oldest first, those with a higher number than `sequence`. */
    listAfter(sequence: number, limit: number): Promise<readonly AuditRecord[]>
  }
  readonly jobRuns: {
    all(): Promise<readonly JobRunRecord[]>
    find(name: string): Promise<JobRunRecord | undefined>
    /** Makes it known when the job is due first; does nothing when that is known. */
    schedule(name: string, nextRunAt: number): Promise<void>
    /**
     * Takes the job for the run that `owner` names, if it is scheduled and nobody holds it at `now`. Of however many
     * try at once, one gets it. `onlyDue`: and if its time has come.
     */
    take(
      name: string,
      lease: {
        readonly owner: string
        readonly now: number
        readonly until: number
        readonly onlyDue: boolean
      },
    ): Promise<boolean>
    /** Prolongs the lease; false when the job is not this owner's any more. */
    renew(name: string, owner: string, until: number): Promise<boolean>
    /** Records how the run ended, and lets the job go; false when it is not this owner's any more. */
    finish(name: string, owner: string, end: JobRunEnd): Promise<boolean>
  }
  readonly signingKeys: {
    /** In the order in which they begin to sign. */
    list(): Promise<readonly SigningKeyRecord[]>
    insert(key: SigningKeyRecord): Promise<void>
    delete(kid: string): Promise<void>
  }
  readonly changes: {
    /** Keeps the changes of one entry of the audit log, and lets those who watch the store know once it is committed. */
    append(entry: {
      readonly sequence: number
      readonly at: number
      readonly origin: string
      readonly changes: readonly CacheChange[]
    }): Promise<void>
    /**
     * Oldest first, some of those with a higher number than `sequence`: two numbers at least, where there are so many, and
     * all of each; none when there are none.
     */
    listAfter(sequence: number): Promise<readonly CacheChangeRecord[]>
    /** The lowest and the highest number that is kept; 0 when there is none. */
    kept(): Promise<{ readonly oldest: number; readonly newest: number }>
  }
  /**
   * Deletes sessions, parked requests, one-time passwords and device requests (with their approvals) whose time is
   * over, and changes that are an hour old, at the most `limit` of each. The newest change stays, and of two changes the
   * older never outlives the newer. Answers with how many it were, and whether there may be more.
   */
  deleteExpired(now: number, limit: number): Promise<Deleted>
}

export interface Store extends StoreSession {
  /**
   * Runs `work` in one transaction: all of it happens or, when it throws, none. An acknowledged commit survives a
   * power cut. Nothing that is asked of the store meanwhile slips into it. Inside `work` only the session it is given
   * may be used, and not after `work` is over.
   *
   * @throws TypeError for a use of the store itself inside `work`, which would otherwise wait for its own end for ever
   */
  transaction<T>(work: (session: StoreSession) => Promise<T>): Promise<T>
  /**
   * Tells the listener when another process, or another store on the same database, has committed changes, until the
   * answer is called. Whether it tells of what this store commits itself is left open.
   */
  watch(listener: ChangeListener): Promise<() => Promise<void>>
  /**
   * Says how long the database may take to answer one query, in milliseconds. What takes longer rejects, and holds no
   * connection any more. Only for stores that could wait longer; each has a bound of its own until then.
   */
  giveUpAfter?(timeoutMs: () => number): void
  /** Where to tell how many transactions each commit held, for a store that puts several into one. */
  observe?(observer: Pick<Observer, 'committed'>): void
  /** Resolves when the database answers; rejects when it does not. */
  ping(): Promise<void>
  close(): Promise<void>
}
