/**
 * `hallpass/client`: get, keep and use a user API key, on Node, in a browser, anywhere with `fetch` and WebCrypto.
 * What needs Node is in `hallpass/client/node`.
 */
export { HallpassError } from '../protocol/errors.ts'
export type { AllowedValues } from '../protocol/narrowed-scope.ts'
export type { Padding } from '../protocol/rsaes.ts'
export type { ScopeParameters } from '../protocol/scope-parameters.ts'
export {
  type CallBody,
  type CallOptions,
  type ClientCredential,
  type ClientOptions,
  type CurrentUser,
  createClient,
  type HallpassClient,
  type Wait,
} from './api-client.ts'
export { HallpassApiError } from './api-error.ts'
export {
  type AuthorizationOptions,
  beginAuthorization,
  type Credential,
  completeAuthorization,
  type PendingAuthorization,
  readPayloadText,
} from './authorization.ts'
export { type ClientReason, clientErrorCatalogue } from './client-errors.ts'
export { authorizeWithDevice, type DeviceCode, type DeviceOptions } from './device.ts'
export { discover } from './discover.ts'
export type { Fetch, Transport } from './http.ts'
export type { PayloadText } from './payload-text.ts'
export { type PreviewOptions, previewAuthorization } from './preview.ts'
export type { DiscoverOptions, Site, SiteScope } from './site.ts'
