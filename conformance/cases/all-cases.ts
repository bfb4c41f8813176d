import type { CaseSection } from '../case.ts'
import { additionCases } from './additions.ts'
import { apiKeyCases } from './api-keys.ts'
import { browserFlowCases } from './approving.ts'
import { authenticationCases } from './authentication.ts'
import { clientCases } from './clients.ts'
import { corsCases } from './cors.ts'
import { cryptographyCases } from './cryptography.ts'
import { deviceFlowCases } from './device-flow.ts'
import { endpointCases } from './endpoints.ts'
import { errorCases } from './errors.ts'
import { keyLifeCases } from './key-life.ts'
import { oneTimePasswordCases } from './one-time-passwords.ts'
import { parameterCases } from './parameters.ts'
import { pushCases } from './push.ts'
import { redirectCases } from './redirects.ts'
import { registeredClientCases } from './registered-clients.ts'
import { routeBesideCases } from './routes-beside.ts'
import { settingCases } from './settings.ts'

/** All the cases, in the order in which they run: that of docs/protocol.md. */
export const allCases: readonly CaseSection[] = [
  endpointCases,
  parameterCases,
  browserFlowCases,
  cryptographyCases,
  deviceFlowCases,
  oneTimePasswordCases,
  registeredClientCases,
  keyLifeCases,
  pushCases,
  authenticationCases,
  apiKeyCases,
  errorCases,
  redirectCases,
  settingCases,
  corsCases,
  routeBesideCases,
  clientCases,
  additionCases,
]
