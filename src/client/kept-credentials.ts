import type { Credential } from './authorization.ts'
import { isObject, parseJsonObject } from './http.ts'

/** What is kept for one site: a key, or the trace of one that was revoked, so that it can be told from none. */
export type KeptCredential =
  | {
      readonly state: 'active'
      readonly site: string
      /** Who the key belongs to; null when its scopes do not let it ask. */
      readonly username: string | null
      readonly credential: Credential
    }
  | {
      readonly state: 'revoked'
      readonly site: string
      readonly username: string | null
      readonly clientId: string
      readonly applicationName: string
      /** ISO 8601. */
      readonly revokedAt: string
    }

/** The content of a credential file. */
export interface KeptCredentials {
  readonly defaultSite: string | null
  /** By the site's address. */
  readonly sites: Readonly<Record<string, KeptCredential>>
}

/** Before the first key. */
export const emptyCredentials: KeptCredentials = { defaultSite: null, sites: {} }

/** Reads what a credential file holds; undefined for anything else. */
export function parseCredentials(text: string): KeptCredentials | undefined {
  const value = parseJsonObject(text)
  const { version, defaultSite, sites } = value ?? {}
  if (version !== 1 || !isObject(sites)) return undefined
  if (typeof defaultSite !== 'string' && defaultSite !== null) return undefined
  return Object.values(sites).every(isKept)
    ? { defaultSite, sites: sites as Readonly<Record<string, KeptCredential>> }
    : undefined
}

function isKept(value: unknown): boolean {
  if (!isObject(value) || typeof value.site !== 'string') return false
  if (value.state === 'revoked') return typeof value.revokedAt === 'string'
  return value.state === 'active' && isCredential(value.credential)
}

function isCredential(value: unknown): boolean {
  return (
    isObject(value) &&
    ['site', 'key', 'clientId', 'applicationName'].every((name) => typeof value[name] === 'string') &&
    Array.isArray(value.scopes)
  )
}
