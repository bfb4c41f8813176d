import { createClient } from '../client/api-client.ts'
import type { Credential } from '../client/authorization.ts'
import { HallpassError } from '../protocol/errors.ts'

/**
 * The username that a key belongs to, by the one route that tells, or else by the header that every answer to a key
 * carries (protocol §4.2, §10.2). Null for a key whose scopes reach neither, and when the site fails at it.
 */
export async function usernameOf(credential: Credential): Promise<string | null> {
  const client = createClient(credential, { maximumWaitMs: 5_000 })
  try {
    if (credential.scopes.some((scope) => ['read', 'write', 'session_info'].includes(scope))) {
      return (await client.currentUser()).username
    }
    if (credential.scopes.includes('notifications')) {
      const answer = await client.fetch('/notifications/totals.json')
      await answer.body?.cancel()
      return answer.headers.get('x-discourse-username')
    }
  } catch (error) {
    if (!(error instanceof HallpassError)) throw error
  }
  return null
}
