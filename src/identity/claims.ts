import { SignInFailed } from './redirecting-sign-in.ts'

/**
 * The longest that anything may be that a service says of somebody, in UTF-16 code units. OpenID Connect bounds `sub` so
 * (Core §2). What is many times as long PostgreSQL could not put into an index.
 */
const longest = 255

/**
 * Under which id the service knows somebody. Never cut: two who share a beginning would be one.
 *
 * @throws SignInFailed for none, and for one of more than 255 characters
 */
export function subjectOf(value: string | null): string {
  if (!value) throw new SignInFailed('its answer names nobody')
  if (value.length > longest) {
    throw new SignInFailed(`its answer names somebody by an id of more than ${longest} characters`)
  }
  return value
}

/** What a service says of somebody beside that; undefined for what is empty, longer than 255 characters, or no text. */
export function claimText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= longest ? value : undefined
}
