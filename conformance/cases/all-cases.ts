import type { CaseSection } from '../case.ts'
import { browserFlowCases } from './approving.ts'
import { cryptographyCases } from './cryptography.ts'
import { endpointCases } from './endpoints.ts'
import { parameterCases } from './parameters.ts'

/** All the cases, in the order in which they run: that of docs/protocol.md. */
export const allCases: readonly CaseSection[] = [
  endpointCases,
  parameterCases,
  browserFlowCases,
  cryptographyCases,
]
