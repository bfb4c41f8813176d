import { deleteExpired, deleteOldPushes, deleteUnusedClients } from './cleaning-jobs.ts'
import type { Job } from './job.ts'
import {
  revokeOldApiKeys,
  revokeOldUserApiKeys,
  revokeUnusedApiKeys,
  revokeUnusedUserApiKeys,
} from './revocation-jobs.ts'
import { rotateSigningKeys } from './signing-keys.ts'

/** Every job of Hallpass, in the order in which a process runs those that are due. */
export const hallpassJobs: readonly Job[] = [
  revokeUnusedUserApiKeys,
  revokeOldUserApiKeys,
  deleteUnusedClients,
  revokeUnusedApiKeys,
  revokeOldApiKeys,
  deleteExpired,
  deleteOldPushes,
  rotateSigningKeys,
]
