import { randomBytes } from 'node:crypto'
import { HallpassError } from '../protocol/errors.ts'
import type { Hallpass } from '../server/hallpass.ts'
import type { ServeOptions } from './serve-options.ts'

export interface FirstAdministrator {
  readonly username: string
  /** Undefined when the configuration brought it: then it is known already. */
  readonly password: string | undefined
}

/**
 * Makes the administrator of an empty database, and their API key if the configuration brings one.
 *
 * @throws HallpassError when the name or the password that the configuration brings cannot be one
 */
export async function makeFirstAdministrator(
  hallpass: Hallpass,
  { admin }: ServeOptions,
): Promise<FirstAdministrator> {
  const password = admin.password ?? randomBytes(12).toString('base64url')
  const outcome = await hallpass.createAccount({
    username: admin.username,
    password,
    name: '',
    email: '',
    admin: true,
  })
  if (outcome.outcome === 'refused') {
    const { message, reason } = outcome.refusal
    const remedy = 'mend HALLPASS_ADMIN_USERNAME or HALLPASS_ADMIN_PASSWORD and start again'
    throw new HallpassError(reason, `the first administrator cannot be made: ${message}`, remedy)
  }
  if (admin.apiKey !== undefined) {
    const description = 'from HALLPASS_ADMIN_API_KEY'
    await hallpass.createApiKey({ user: undefined, description, route: 'bootstrap', text: admin.apiKey })
  }
  return { username: admin.username, password: admin.password === undefined ? password : undefined }
}
