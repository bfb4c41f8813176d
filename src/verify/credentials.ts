import type { HeaderReader } from '../domain/header-reader.ts'
import type { Query } from '../protocol/query.ts'

/** What a request brings to say who it is, as protocol §10.1 says where to look. */
export interface Credentials {
  /** The user API key: the header `User-Api-Key`, else a key in `Authorization: Bearer`. */
  readonly userApiKey: string | undefined
  /** The `User-Api-Client-Id` header beside it: the client that the app says the key is for. */
  readonly clientId: string | undefined
  /** The administrator's API key. */
  readonly apiKey: string | undefined
  /** The user that an API key is to act for, by the first of the identity headers that is there. */
  readonly actFor: { readonly by: 'username' | 'id' | 'external_id'; readonly value: string } | undefined
  /** Whether the API key came in a header and its user in the address, or the other way round. */
  readonly isMixed: boolean
}

/**
 * Reads the credentials: out of the headers and, where `inQuery` says that the route takes them there, out of the
 * address. An API key and its user count only when both come the same way. An empty header means that there is none:
 * some clients send `User-Api-Client-Id` that way.
 */
export function readCredentials(headers: HeaderReader, query: Query, inQuery: boolean): Credentials {
  const userApiKey =
    present(headers.get('user-api-key')) ??
    bearerKey(headers) ??
    (inQuery ? read(query, 'user_api_key') : undefined)
  const keyInHeader = present(headers.get('api-key'))
  const apiKey = keyInHeader ?? (inQuery ? read(query, 'api_key') : undefined)
  // Most requests bring no API key: what stands beside one is looked for only then.
  const inHeaders = apiKey === undefined ? undefined : firstIdentity((one) => textIn(headers, one.header))
  const inAddress = apiKey === undefined ? undefined : firstIdentity((one) => read(query, one.parameter))
  const [actFor, elsewhere] = keyInHeader === undefined ? [inAddress, inHeaders] : [inHeaders, inAddress]
  return {
    userApiKey,
    clientId: userApiKey === undefined ? undefined : textIn(headers, 'user-api-client-id'),
    apiKey,
    actFor,
    isMixed: actFor === undefined && elsewhere !== undefined,
  }
}

/** An API key and the name of the user that it is to act for, as somebody else's header had them. */
export function apiKeyCredentials(apiKey: string, username: string): Credentials {
  const name = present(username)
  return {
    userApiKey: undefined,
    clientId: undefined,
    apiKey: present(apiKey),
    actFor: name === undefined ? undefined : { by: 'username', value: name },
    isMixed: false,
  }
}

/** In the order in which they count (protocol §10.2). */
const identities = [
  { by: 'username', header: 'api-username', parameter: 'api_username' },
  { by: 'id', header: 'api-user-id', parameter: 'api_user_id' },
  { by: 'external_id', header: 'api-user-external-id', parameter: 'api_user_external_id' },
] as const

function firstIdentity(
  find: (one: (typeof identities)[number]) => string | undefined,
): Credentials['actFor'] {
  for (const one of identities) {
    const value = find(one)
    if (value !== undefined) return { by: one.by, value }
  }
  return undefined
}

/** A header holds bytes; what stands in it as UTF-8 is read as that, as a parameter is. */
function textIn(headers: HeaderReader, name: string): string | undefined {
  const value = present(headers.get(name))
  if (value === undefined || /^[\x20-\x7e]*$/.test(value)) return value
  const decoded = Buffer.from(value, 'latin1').toString('utf8')
  return decoded.includes('\ufffd') ? value : decoded
}

/**
 * A user API key as OAuth's clients send it (RFC 6750 §2.1). Only what has the form of one: other tokens may be the
 * application's own, which Hallpass has no say in.
 */
function bearerKey(headers: HeaderReader): string | undefined {
  const header = headers.get('authorization')
  return header === null ? undefined : bearerKeyIn(header)
}

/** Whether an Authorization header holds a user API key, as far as its form tells. */
export function isBearerKey(header: string): boolean {
  return bearerKeyIn(header) !== undefined
}

function bearerKeyIn(header: string): string | undefined {
  const token = /^bearer +(\S+)$/i.exec(header.trim())?.[1]
  return token !== undefined && /^[0-9a-f]{32}$/.test(token) ? token : undefined
}

function read(query: Query, name: string): string | undefined {
  return present(query.parameters.get(name))
}

function present(value: string | null): string | undefined {
  return value?.trim() || undefined
}
