import type { Figure } from '../measure/figure.ts'
import { inProcess } from './in-process.ts'
import { issuing } from './issuing.ts'
import { mixed } from './mixes.ts'
import { processes } from './processes.ts'
import { revocation, revocationElsewhere } from './revocation.ts'
import { start } from './start.ts'
import { postgresStores, sqliteStores } from './stores.ts'
import { warm } from './warm.ts'

/** Every figure, in the order of the table. */
export const figures: readonly Figure[] = [
  warm,
  inProcess,
  mixed,
  sqliteStores,
  postgresStores,
  issuing,
  revocation,
  revocationElsewhere,
  processes,
  start,
]
