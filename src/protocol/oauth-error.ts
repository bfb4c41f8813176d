import { type Reason, type Refusal, type RefusalBody, refusalBody } from './errors.ts'

/** What the OAuth routes may answer (RFC 6749 §5.2, RFC 8628 §3.5, RFC 7009 §2.2.1). */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_scope'
  | 'invalid_grant'
  | 'invalid_client'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_token_type'
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token'
  | 'temporarily_unavailable'

/** A refusal as OAuth words it: the standard's fields, with all of ours beside them. */
export interface OAuthErrorBody extends RefusalBody {
  readonly error: OAuthErrorCode
  readonly error_description: string
  readonly error_uri: string
}

/** Puts a refusal into OAuth's words. `docsUrl` is the address of the error pages, without a trailing slash. */
export function oauthErrorBody(why: Refusal, docsUrl: string): OAuthErrorBody {
  const body = refusalBody(why, docsUrl)
  return {
    error: codes[why.reason] ?? 'invalid_request',
    error_description: describable(`${why.message}; ${why.remedy}`),
    error_uri: body.docs_url,
    ...body,
  }
}

/**
 * The status of such an answer: 400 (RFC 6749 §5.2), except where HTTP has a status that says what to do, for too many
 * requests and too large a body.
 */
export function oauthErrorStatus(why: Refusal): number {
  return [413, 429].includes(why.status) ? why.status : 400
}

const codes: { readonly [R in Reason]?: OAuthErrorCode } = {
  scope_missing: 'invalid_scope',
  scope_unknown: 'invalid_scope',
  scope_not_allowed: 'invalid_scope',
  scope_not_registered: 'invalid_scope',
  scope_not_for_devices: 'invalid_scope',
  scope_parameters_scope_unknown: 'invalid_scope',
  scope_parameters_scope_not_requested: 'invalid_scope',
  scope_parameter_not_restrictable: 'invalid_scope',
  scope_parameters_not_together: 'invalid_scope',
  client_needs_sealed_keys: 'unauthorized_client',
  grant_type_unsupported: 'unsupported_grant_type',
  token_type_unsupported: 'unsupported_token_type',
  api_key_required: 'invalid_client',
  api_key_invalid: 'invalid_client',
  api_key_revoked: 'invalid_client',
  api_key_identity_missing: 'invalid_client',
  api_key_form_mixed: 'invalid_client',
  api_key_user_unknown: 'invalid_client',
  api_key_user_mismatch: 'invalid_client',
  api_key_external_id: 'invalid_client',
  api_key_address_not_allowed: 'invalid_client',
  user_api_key_sent_as_api_key: 'invalid_client',
  api_key_scope_insufficient: 'unauthorized_client',
  introspection_not_permitted: 'unauthorized_client',
  device_code_invalid: 'invalid_grant',
  device_code_expired: 'expired_token',
  device_request_pending: 'authorization_pending',
  device_polled_too_often: 'slow_down',
  rate_limited: 'slow_down',
  device_request_denied: 'access_denied',
  group_not_allowed: 'access_denied',
  owner_suspended: 'access_denied',
  owner_inactive: 'access_denied',
  device_codes_exhausted: 'temporarily_unavailable',
}

/** The characters that RFC 6749 §5.2 and RFC 6750 §3 allow in a description: printable ASCII without `"` and `\`. */
export function describable(text: string): string {
  return text
    .replace(/["“”`]/g, "'")
    .replace(/’/g, "'")
    .replace(/[^\x20-\x7e]|\\/gu, '?')
}
