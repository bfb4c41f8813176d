/**
 * `hallpass`: the wire contract. What apps send and receive, what may be refused and why, which scopes and settings there
 * are. Pure: no I/O, no clock, no dependency; it runs wherever WebCrypto does.
 */
export { matchAuthRedirect, parseAuthRedirect, validateRedirectPattern } from './auth-redirect.ts'
export {
  type AuthorizationContext,
  type AuthorizationParameters,
  type AuthorizationRequest,
  authorizationUrl,
  checkAuthorization,
  type KnownClient,
  readAuthorizationParameters,
  serializeAuthorizationParameters,
} from './authorization-request.ts'
export {
  HallpassError,
  type Reason,
  type Refusal,
  type RefusalBody,
  type RefusalDetails,
  refusal,
  refusalBody,
  refusalCatalogue,
  type WireErrorType,
} from './errors.ts'
export { generateRsaKeyPair, type RsaKeyPair } from './key-pair.ts'
export type { AllowedValues, NarrowedScope } from './narrowed-scope.ts'
export type { ParameterSources } from './parameters.ts'
export {
  API_VERSION,
  looksLikeSealedPayload,
  openPayload,
  type Payload,
  parsePayload,
  sealPayload,
  serializePayload,
} from './payload.ts'
export { importRsaPrivateKey, type RsaPrivateKey } from './private-key.ts'
export { formatPublicKeyPem, type PublicKeyLimits, parsePublicKey, type RsaPublicKey } from './public-key.ts'
export { appendPayload, type RedirectValues } from './redirect-address.ts'
export { normalizeRoute, type Route, type RouteFormat } from './route.ts'
export type { RequestedRoute, RouteMatcher } from './route-matcher.ts'
export { decryptRsaes, encryptRsaes, maximumPlaintextBytes, type Padding } from './rsaes.ts'
export type { ScopeParameters } from './scope-parameters.ts'
export {
  compileScopes,
  createScopeCatalogue,
  type GrantedScope,
  type OwnScope,
  type ScopeCatalogue,
  type ScopeDecision,
  type ScopeDefinition,
} from './scopes.ts'
export { defaultSettings, formatSetting, parseSetting } from './setting-values.ts'
export { type SettingDefinition, type SettingName, type Settings, settingsCatalogue } from './settings.ts'
