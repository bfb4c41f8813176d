/** What a request brings to say who it is, as protocol §10.1 says where to look. */
export interface Credentials {
  /** The `User-Api-Key` header. */
  readonly userApiKey: string | undefined
  /** The `Api-Key` header. */
  readonly apiKey: string | undefined
  /** The user that an API key is to act for, by the first of the identity headers that is there. */
  readonly actFor: { readonly by: 'username' | 'id' | 'external_id'; readonly value: string } | undefined
}

/** Reads the credentials. An empty header means that there is none: some clients send `User-Api-Client-Id` that way. */
export function readCredentials(headers: Headers): Credentials {
  return {
    userApiKey: present(headers, 'user-api-key'),
    apiKey: present(headers, 'api-key'),
    actFor: actForIn(headers),
  }
}

function actForIn(headers: Headers): Credentials['actFor'] {
  for (const [by, name] of identityHeaders) {
    const value = present(headers, name)
    if (value !== undefined) return { by, value }
  }
  return undefined
}

/** In the order in which they count (protocol §10.2). */
const identityHeaders = [
  ['username', 'api-username'],
  ['id', 'api-user-id'],
  ['external_id', 'api-user-external-id'],
] as const

/**
 * The credentials of the route of before 2019, the one place where an administrator's key counts in the query
 * (`api_key`, `api_username`). Headers win.
 */
export function withLegacyQuery(credentials: Credentials, query: URLSearchParams): Credentials {
  const username = query.get('api_username')
  return credentials.apiKey
    ? credentials
    : {
        userApiKey: credentials.userApiKey,
        apiKey: query.get('api_key') || undefined,
        actFor: username ? { by: 'username', value: username } : undefined,
      }
}

function present(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.trim() || undefined
}
