import type { Directory } from '../domain/ports.ts'
import type { Store } from '../domain/store.ts'
import { accountIdOf, userOfAccount } from '../domain/user.ts'

/** The users of a site that has no user directory of its own: the local accounts. */
export function localDirectory(store: Store): Directory {
  return {
    async findUserById(id) {
      const accountId = accountIdOf(id)
      const account = accountId === undefined ? undefined : await store.accounts.findById(accountId)
      return account && userOfAccount(account)
    },
    async findUserByUsername(username) {
      const account = await store.accounts.findByUsername(username)
      return account && userOfAccount(account)
    },
  }
}
