/**
 * The catalogue of refusals. Every refusal on the wire, on a page, in the terminal and in the docs comes from here.
 *
 * Two voices stand side by side in an answer: the protocol's own fields (`errors`, `error_type`, `extras`), which
 * existing clients match on and which `wire` words, and ours (`reason`, `message`, `remedy`, `docs_url`), which say
 * what was wrong and how to mend it.
 */
import type { NarrowedScope } from './narrowed-scope.ts'

/** `error_type` values of the wire (protocol §12). */
export type WireErrorType =
  | 'invalid_parameters'
  | 'invalid_access'
  | 'not_logged_in'
  | 'rate_limit'
  | 'not_found'
  | 'record_invalid'
  | 'read_only'

interface CatalogueEntry {
  /** HTTP status of the answer. */
  readonly status: 200 | 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500 | 502 | 503 | 504
  /** The wire's `error_type`; absent where the protocol sends none. */
  readonly errorType?: WireErrorType
  /** What was wrong. Lower-case; `{name}` stands for a detail of the refusal. */
  readonly message: string
  /** How to mend it. Same form as `message`. */
  readonly remedy: string
  /** The wire's `errors[0]` where existing clients match on its form; otherwise derived from `errorType`. */
  readonly wire?: string
}

const notPermitted = 'You are not permitted to view the requested resource.'

/** Every reason for which Hallpass refuses, by its stable name. */
export const refusalCatalogue = {
  // What was sent cannot be read.
  parameters_missing: {
    status: 400,
    message: 'missing or blank: {missing}',
    remedy: 'send every one of them. a complete request looks like {example}',
    wire: 'param is missing or the value is empty or invalid: {first}',
  },
  parameter_invalid: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`{field}` is not valid: {problem}',
    remedy: 'send `{field}` as {expected}',
    wire: 'You supplied invalid parameters to the request: {field}',
  },
  parameter_too_long: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`{field}` is {actual} bytes long; at most {limit} are accepted',
    remedy: 'send a shorter `{field}`',
    wire: 'You supplied invalid parameters to the request: {field}',
  },
  parameter_duplicated: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`{field}` was sent more than once',
    remedy: 'send `{field}` exactly once',
    wire: 'You supplied invalid parameters to the request: {field}',
  },
  body_unreadable: {
    status: 400,
    errorType: 'invalid_parameters',
    message: 'the request body could not be read as {expected}: {problem}',
    remedy: 'send a body that matches its Content-Type, or none',
    wire: 'You supplied invalid parameters to the request: base',
  },
  body_too_large: {
    status: 413,
    errorType: 'invalid_parameters',
    message: 'the request body is larger than {limit} bytes',
    remedy: 'send a smaller body',
  },
  path_ambiguous: {
    status: 400,
    errorType: 'invalid_parameters',
    message: 'the path can be read in more than one way: {problem}',
    remedy:
      'send the path without encoded slashes, backslashes, dot segments, control characters or double encoding',
  },
  request_ambiguous: {
    status: 400,
    errorType: 'invalid_parameters',
    message: 'the request can be read in more than one way: {problem}',
    remedy:
      'send a path that begins with a slash, each header once, and one Content-Length or `Transfer-Encoding: chunked`',
  },
  method_not_forwarded: {
    status: 405,
    message: '{method} is not passed on to the application',
    remedy: 'use another method. TRACE would show to a page what only the server may see',
  },

  // The application behind the gateway does not answer.
  upstream_unreachable: {
    status: 502,
    message: 'the application behind this address cannot be reached',
    remedy: 'try again in a minute. its operator: is it running where --upstream says?',
  },
  upstream_invalid: {
    status: 502,
    message: 'the application behind this address did not answer as HTTP has it: {problem}',
    remedy: 'tell the operator of the site; nothing that a client sends mends this',
  },
  upstream_timeout: {
    status: 504,
    message: 'the application behind this address did not answer in time',
    remedy:
      'ask whether the request was carried out before you send it again. its operator: make the application answer sooner',
  },

  // A proxy asks about a request to the application.
  forward_auth_untrusted: {
    status: 403,
    message: '`/hallpass/forward-auth` answers only proxies that this site trusts; {address} is none of them',
    remedy:
      'start Hallpass with `--trusted-proxy` and the address of the proxy, or give `createHallpass` the option `trustedProxies`',
  },
  original_request_unreadable: {
    status: 403,
    message: 'the proxy does not say clearly what was requested: {problem}',
    remedy:
      'have the proxy set `X-Forwarded-Method` and `X-Forwarded-Uri`, or `X-Original-Method` and `X-Original-URI`, and take out what callers send by these names',
  },
  method_override: {
    status: 403,
    errorType: 'invalid_access',
    message: '`{field}` asks for another method than the {method} that the key’s scopes were held against',
    remedy: 'send the request with the method that is meant, and without `{field}`',
  },
  credentials_missing: {
    status: 401,
    errorType: 'not_logged_in',
    message: 'this site lets nobody in who is unknown',
    remedy: 'send a key in the `User-Api-Key` header, or sign in first',
    wire: 'You need to be logged in to do that.',
  },

  // The authorization request asks for something that cannot be granted.
  scope_unknown: {
    status: 403,
    errorType: 'invalid_access',
    message: 'no scope is named `{scope}`',
    remedy:
      'ask for one or more of: {known}. separate them with commas and no spaces: `scopes` was read as {read_as}',
  },
  scope_not_allowed: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this site does not issue keys with the scope `{scope}`',
    remedy:
      'ask for one or more of: {allowed}. an administrator can add `{scope}` to the setting allow_user_api_key_scopes',
  },
  scope_not_registered: {
    status: 403,
    errorType: 'invalid_access',
    message: 'the client `{client_id}` is registered without the scope `{scope}`',
    remedy: 'ask only for the scopes that the client was registered with: {registered}',
  },
  scope_parameters_malformed: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`scope_parameters` cannot be used: {problem}',
    remedy:
      'send a JSON object of scopes, each an object of parameters, each a list of texts, such as {example}. what may be narrowed of this request: {narrowable}',
    wire: 'You supplied invalid parameters to the request: scope_parameters',
  },
  scope_parameters_scope_unknown: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`scope_parameters` narrows {scope}, and no scope has that name',
    remedy: 'narrow a scope that `scopes` asks for. what may be narrowed of this request: {narrowable}',
    wire: 'You supplied invalid parameters to the request: scope_parameters',
  },
  scope_parameters_scope_not_requested: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`scope_parameters` narrows {scope}, which `scopes` does not ask for',
    remedy:
      'ask for {scope} in `scopes` too, or leave it out here. what may be narrowed of this request: {narrowable}',
    wire: 'You supplied invalid parameters to the request: scope_parameters',
  },
  scope_parameter_not_restrictable: {
    status: 400,
    errorType: 'invalid_parameters',
    message: 'the scope {scope} cannot be narrowed by {parameter}',
    remedy: 'what may be narrowed of this request: {narrowable}',
    wire: 'You supplied invalid parameters to the request: scope_parameters',
  },
  scope_parameter_empty: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`scope_parameters` gives {what} no {expected}',
    remedy:
      'give it one at least, or leave it out: a key is never narrowed to nothing. what may be narrowed of this request: {narrowable}',
    wire: 'You supplied invalid parameters to the request: scope_parameters',
  },
  scope_parameters_not_together: {
    status: 400,
    errorType: 'invalid_parameters',
    message:
      'no route of the scope {scope} takes {parameters}, so that a key with all of them could do nothing',
    remedy: 'narrow by fewer of them. what may be narrowed of this request: {narrowable}',
    wire: 'You supplied invalid parameters to the request: scope_parameters',
  },
  public_key_unreadable: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`public_key` is not a public key in PEM form: {problem}',
    remedy:
      'send an RSA public key that begins with -----BEGIN PUBLIC KEY----- (`openssl rsa -in private.pem -pubout`)',
    wire: 'You supplied invalid parameters to the request: public_key',
  },
  public_key_not_percent_encoded: {
    status: 400,
    errorType: 'invalid_parameters',
    message:
      '`public_key` arrived damaged: the PEM was put into the address without percent-encoding, so that its characters changed on the way',
    remedy: 'percent-encode the PEM: `+` as %2B, `/` as %2F, `=` as %3D, each line break as %0A',
    wire: 'You supplied invalid parameters to the request: public_key',
  },
  public_key_not_rsa: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`public_key` is not an RSA key but {found}',
    remedy: 'make an RSA key pair of 2048 bits or more (`openssl genrsa -out private.pem 2048`)',
    wire: 'You supplied invalid parameters to the request: public_key',
  },
  public_key_is_private: {
    status: 400,
    errorType: 'invalid_parameters',
    message:
      '`public_key` holds a private key. it has now travelled over the network: throw that key pair away',
    remedy: 'make a new key pair and send only its public half (`openssl rsa -in private.pem -pubout`)',
    wire: 'You supplied invalid parameters to the request: public_key',
  },
  public_key_size: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`public_key` has {bits} bits; {minimum} to {maximum} are accepted',
    remedy: 'make an RSA key pair of 2048 or 4096 bits',
    wire: 'You supplied invalid parameters to the request: public_key',
  },
  padding_invalid: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`padding` is `{padding}`',
    remedy: 'send `oaep` (recommended) or `pkcs1`, or leave it out for `pkcs1`',
    wire: 'You supplied invalid parameters to the request: padding',
  },
  auth_redirect_invalid: {
    status: 403,
    errorType: 'invalid_access',
    message: '`auth_redirect` is not an absolute address: {problem}',
    remedy:
      'send an address with a scheme and a host, such as https://app.example.com/callback, percent-encoded once',
  },
  auth_redirect_not_allowed: {
    status: 403,
    errorType: 'invalid_access',
    message: '`auth_redirect` {auth_redirect} is not on this site’s list',
    remedy:
      'ask an administrator to add the entry {entry} to the setting allowed_user_api_auth_redirects, use a loopback address (http://127.0.0.1:PORT/), or leave auth_redirect out to have the payload shown on the page',
  },
  auth_redirect_not_registered: {
    status: 403,
    errorType: 'invalid_access',
    message: 'the client `{client_id}` is registered with another `auth_redirect`',
    remedy: 'send exactly the `auth_redirect` that the client was registered with',
  },
  expiry_invalid: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`expires_in_seconds` is `{value}`',
    remedy: 'send a whole number of seconds above 0, in decimal digits, at most {maximum}',
    wire: 'You supplied invalid parameters to the request: expires_in_seconds',
  },
  expiry_not_offered: {
    status: 400,
    errorType: 'invalid_parameters',
    message: 'this site does not issue keys that expire on request',
    remedy:
      'leave `expires_in_seconds` out, or ask an administrator to raise the setting max_user_api_key_expiry_days above 0',
    wire: 'You supplied invalid parameters to the request: expires_in_seconds',
  },
  payload_too_large: {
    status: 400,
    errorType: 'invalid_parameters',
    message:
      'the payload would be {actual} bytes, and a {bits}-bit key holds {maximum} with {padding}: the nonce is too long',
    remedy: 'send a nonce of at most {largest_nonce} bytes, or a larger key',
    wire: 'You supplied invalid parameters to the request: Payload too large for {padding} (maximum {maximum} bytes, actual {actual} bytes)',
  },
  device_parameters_missing: {
    status: 400,
    errorType: 'invalid_parameters',
    message: 'missing or blank: {missing}',
    remedy:
      'send every one of them as a field of a JSON object: nonce, scopes, client_id, application_name, public_key',
    wire: 'You supplied invalid parameters to the request: {field}',
  },
  scope_not_for_devices: {
    status: 400,
    errorType: 'invalid_parameters',
    message: 'the device flow gives no key with the scope `one_time_password`',
    remedy: 'ask for other scopes, or use the browser flow',
    wire: 'You supplied invalid parameters to the request: scopes',
  },
  device_request_too_large: {
    status: 400,
    errorType: 'invalid_parameters',
    message: 'the device request takes {actual} bytes to keep; at most {limit} are kept',
    remedy: 'send shorter values, `push_url` and `public_key` above all',
    wire: 'You supplied invalid parameters to the request: base',
  },
  device_codes_exhausted: {
    status: 403,
    errorType: 'invalid_access',
    message: 'no code was free for this device request',
    remedy: 'try again in a minute',
  },
  scope_missing: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`scope` is missing or blank',
    remedy: 'send `scope` with one or more of: {known}. separate them with spaces',
    wire: 'You supplied invalid parameters to the request: scope',
  },
  client_needs_sealed_keys: {
    status: 400,
    errorType: 'invalid_access',
    message:
      'the client `{client_id}` is registered with a public key, so its keys are always sealed, and this route delivers them open',
    remedy: 'ask at /user-api-key/device, whose payload is sealed, or with another client_id',
  },
  grant_type_unsupported: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`grant_type` is not one that this site knows: {grant_type}',
    remedy: 'send `grant_type` as {expected}',
    wire: 'You supplied invalid parameters to the request: grant_type',
  },
  device_request_pending: {
    status: 400,
    message: 'the user has not decided yet',
    remedy: 'ask again in {interval} seconds',
  },
  device_polled_too_often: {
    status: 400,
    message: 'the user has not decided yet, and you ask too often',
    remedy: 'wait 5 seconds longer between two requests than until now, and never less than {interval}',
  },
  device_request_denied: {
    status: 400,
    message: 'the user has denied the request',
    remedy: 'ask the user; if it was a mistake, begin anew with a new code',
  },
  device_code_expired: {
    status: 400,
    message: 'the time of this device code is over',
    remedy: 'begin anew with a new code',
  },
  device_code_invalid: {
    status: 400,
    message: 'no request that waits for its key has this `device_code` and this `client_id`',
    remedy:
      'send both as they were when the code was made. a key is delivered once: if it was, and got lost, begin anew',
  },
  json_required: {
    status: 403,
    errorType: 'invalid_access',
    message: '{path} speaks JSON only, in both directions',
    remedy:
      'send a JSON object with `Content-Type: application/json`, and `Accept: application/json` or a path that ends in .json',
  },
  one_time_password_invalid: {
    status: 200,
    errorType: 'invalid_parameters',
    message: 'this one-time password is missing, invalid or expired',
    remedy: 'a one-time password works once, within {minutes} minutes: get a new one from the app',
    wire: 'The one-time password is missing, invalid or expired.',
  },
  client_unknown: {
    status: 400,
    errorType: 'invalid_parameters',
    message: 'no client is registered under this `client_id`',
    remedy: 'register it with POST /user-api-key-client, or ask for keys without registering',
    wire: 'You supplied invalid parameters to the request: client_id',
  },
  client_id_taken: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this `client_id` is taken',
    remedy: 'register under another `client_id`; a random one of 32 hexadecimal characters is always free',
  },
  client_scope_not_allowed: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this site registers no client with the scope `{scope}`',
    remedy:
      'scopes that a client may register for here: {allowed}. an administrator can add `{scope}` to the setting allow_user_api_key_client_scopes',
  },
  request_expired: {
    status: 404,
    errorType: 'not_found',
    message: 'this authorization request is unknown or has expired',
    remedy: 'go back to the app and start again',
  },
  group_not_allowed: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this account may not approve user API keys: it is in none of the groups that may',
    remedy:
      'ask an administrator to add one of the account’s groups to the setting user_api_key_allowed_groups',
  },

  // Who is asking.
  not_signed_in: {
    status: 403,
    errorType: 'not_logged_in',
    message: 'this needs somebody who is signed in',
    remedy: 'sign in first, or send a key in the `User-Api-Key` header',
    wire: 'You need to be logged in to do that.',
  },
  csrf_invalid: {
    status: 403,
    message: 'the request did not carry this browser session’s CSRF token',
    remedy: 'get one from GET /session/csrf.json and send it as `X-CSRF-Token`, with the same cookies',
  },
  credentials_invalid: {
    status: 200,
    message: 'incorrect username or password',
    remedy: 'check both, then try again',
    wire: 'Incorrect username, email or password',
  },
  sign_in_unavailable: {
    status: 503,
    message: 'signing in by way of {provider} does not work at the moment: {problem}',
    remedy: 'try again in a minute; if it stays, tell the administrator',
  },
  sign_in_failed: {
    status: 403,
    errorType: 'not_logged_in',
    message: '{provider} did not sign you in: {problem}',
    remedy: 'go back to where you came from and sign in again',
  },
  user_api_key_invalid: {
    status: 403,
    errorType: 'invalid_access',
    message: 'the `User-Api-Key` header holds no key that this site knows',
    remedy:
      'send the `key` field of the payload that you decrypted; if the key was replaced, authorize again',
  },
  user_api_key_is_payload: {
    status: 403,
    errorType: 'invalid_access',
    message: 'the `User-Api-Key` header holds a sealed payload, not a key',
    remedy:
      'decode the payload from Base64, decrypt it with your RSA private key, and send the `key` field of the JSON inside',
  },
  user_api_key_malformed: {
    status: 403,
    errorType: 'invalid_access',
    message: 'the `User-Api-Key` header does not have the form of a key: {problem}',
    remedy: 'send the 32 hexadecimal characters of the payload’s `key` field, and nothing else',
  },
  user_api_key_revoked: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this key was revoked on {revoked_at}',
    remedy: 'authorize again, or ask the key’s owner to undo the revocation on their apps page',
  },
  user_api_key_expired: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this key expired on {expired_at}',
    remedy: 'authorize again',
  },
  user_api_key_sent_as_api_key: {
    status: 403,
    errorType: 'invalid_access',
    message: 'a user API key was sent in the `Api-Key` header, which takes an administrator’s API key',
    remedy: 'send it in the `User-Api-Key` header, without `Api-Username`',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  api_key_sent_as_user_api_key: {
    status: 403,
    errorType: 'invalid_access',
    message: 'an API key was sent in the `User-Api-Key` header, which takes a user API key',
    remedy: 'send it in the `Api-Key` header, with `Api-Username`',
  },
  api_key_invalid: {
    status: 403,
    errorType: 'invalid_access',
    message:
      'the `Api-Key` and `Api-Username` headers do not name an active key and a user that it may act for',
    remedy: 'check that the key is not revoked and that `Api-Username` is the user the key was made for',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  api_key_identity_missing: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this API key is for all users, and the request does not say for which',
    remedy: 'add the `Api-Username` header',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  api_key_revoked: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this API key was revoked on {revoked_at}',
    remedy: 'ask an administrator to undo the revocation (`POST /admin/api/keys/{id}/undo-revoke.json`)',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  api_key_user_unknown: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this API key is for all users, and `{header}` names none of this site',
    remedy: 'send the name of a user who exists in the `Api-Username` header',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  api_key_user_mismatch: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this API key acts for one user only, and `Api-Username` names another',
    remedy: 'leave the `Api-Username` header out, or send the name of the user that the key was made for',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  api_key_external_id: {
    status: 403,
    errorType: 'invalid_access',
    message: '`Api-User-External-Id` names nobody: the users of this site have no external ids',
    remedy: 'send `Api-Username` or `Api-User-Id` instead',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  username_lookup_missing: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this site cannot find users by name, only by id',
    remedy:
      'send `Api-User-Id` in place of `Api-Username`; the site’s owner can give createHallpass the option findUserByUsername',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  api_key_address_not_allowed: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this API key is not accepted from {address}',
    remedy:
      'send the request from an address that the key is for, or ask an administrator to change the key’s allowed_ips',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  api_key_scope_insufficient: {
    status: 403,
    errorType: 'invalid_access',
    message: '{method} {path} needs one of the scopes: {needed}. this API key has: {granted}',
    remedy:
      'use an API key that has one of them; GET /session/scopes.json tells what a key has. parameters that a scope is narrowed to must be within its limits',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  api_key_required: {
    status: 401,
    errorType: 'invalid_access',
    message: 'this needs an administrator’s API key',
    remedy:
      'send one in the `Api-Key` header with `Api-Username`, or the username and the key as HTTP Basic (`Authorization: Basic`)',
  },
  introspection_not_permitted: {
    status: 403,
    errorType: 'invalid_access',
    message: 'this API key may not ask about user API keys: it acts for somebody who is no administrator',
    remedy: 'use an API key with the scope keys:introspect, or one that acts for an administrator',
  },
  token_type_unsupported: {
    status: 400,
    errorType: 'invalid_parameters',
    message: '`token` has the form of an administrator’s API key, which does not revoke itself',
    remedy: 'revoke an API key with `POST /admin/api/keys/ID/revoke.json`; send a user API key here',
    wire: 'You supplied invalid parameters to the request: token',
  },
  api_key_scope_unknown: {
    status: 400,
    errorType: 'invalid_parameters',
    message: 'there is no API key scope `{scope}`',
    remedy: 'send a `scope_id` that GET /admin/api/keys/scopes.json lists, such as `topics:read`',
    wire: 'You supplied invalid parameters to the request: scope_id',
  },
  api_key_form_mixed: {
    status: 403,
    errorType: 'invalid_access',
    message:
      'the API key and the user whom it is to act for came in two ways: one in a header, the other in the address',
    remedy: 'send both in headers, `Api-Key` and `Api-Username`',
    wire: 'You are not permitted to view the requested resource. The API username or key is invalid.',
  },
  session_cookie_invalid: {
    status: 403,
    errorType: 'invalid_access',
    message: 'too many requests came from this address with the cookie of a session that does not exist',
    remedy: 'this answer deletes the cookie: try again, and sign in where it is asked for',
  },
  client_change_refused: {
    status: 403,
    errorType: 'invalid_access',
    message:
      'the `User-Api-Client-Id` header names a client that {problem}, so this key cannot become one of it',
    remedy: 'send the client id that the key was asked for with, or an id of your own, or no such header',
  },
  scope_insufficient: {
    status: 403,
    errorType: 'invalid_access',
    message: '{method} {path} needs one of the scopes: {needed}. this key has: {granted}{outside}',
    remedy: 'authorize again and ask for one of them',
  },
  owner_suspended: {
    status: 403,
    errorType: 'invalid_access',
    message: 'the account that this key belongs to is suspended',
    remedy: 'the key works again when the suspension ends',
  },
  owner_inactive: {
    status: 403,
    errorType: 'invalid_access',
    message: 'the account that this key belongs to is not active',
    remedy: 'the key works again when the account is activated',
  },
  user_api_key_not_for_administration: {
    status: 403,
    errorType: 'invalid_access',
    message: 'administration is not open to user API keys, not even to those of administrators',
    remedy: 'send an API key in the `Api-Key` header, with `Api-Username`, or sign in in a browser',
  },
  not_permitted: {
    status: 403,
    errorType: 'invalid_access',
    message: 'you may not do that: {problem}',
    remedy: '{remedy}',
  },

  // What was asked for.
  nobody_signed_in: {
    status: 404,
    errorType: 'not_found',
    message: 'nobody is signed in, and no key was sent',
    remedy:
      'send your key in the `User-Api-Key` header, or sign in. a key in the address or in the body counts for nothing here',
    wire: 'The requested URL or resource could not be found.',
  },
  not_found: {
    status: 404,
    errorType: 'not_found',
    message: 'there is no {what}',
    remedy: 'check the address and the identifier in it',
    wire: 'The requested URL or resource could not be found.',
  },
  record_invalid: {
    status: 422,
    errorType: 'record_invalid',
    message: '{problem}',
    remedy: 'mend `{field}` and send it again',
    wire: '{problem}',
  },
  push_delivery_not_dead: {
    status: 422,
    errorType: 'record_invalid',
    message: 'push {id} is {state}: only a dead one can be tried again',
    remedy: 'take one from GET /hallpass/push.json?state=dead',
  },
  job_running: {
    status: 409,
    errorType: 'invalid_parameters',
    message: 'the job {job} is running already, since {started_at}',
    remedy: 'wait until it is done. one whose process has died is free again at {free_at}',
  },
  setting_invalid: {
    status: 422,
    errorType: 'invalid_parameters',
    message: 'the setting {name} cannot be `{value}`: {problem}',
    remedy: 'send {expected}',
  },
  setting_pinned: {
    status: 422,
    errorType: 'invalid_parameters',
    message: 'the setting {name} is pinned by the configuration of this server',
    remedy: 'change it there and start the server again',
  },
  rate_limited: {
    status: 429,
    errorType: 'rate_limit',
    message: 'too many requests: the limit {limit} is reached',
    remedy: 'wait {wait_seconds} seconds, then try again',
    wire: 'You’ve performed this action too many times. Please wait {time_left} before trying again.',
  },
  read_only: {
    status: 503,
    errorType: 'read_only',
    message: 'this site cannot store anything at the moment',
    remedy: 'try again in a minute',
    wire: 'The site is in read only mode. Interactions are disabled.',
  },
  limits_unavailable: {
    status: 503,
    message:
      'this server cannot tell at the moment how many requests were let in elsewhere, and is set to let nobody in until it can',
    remedy:
      'try again in {wait_seconds} seconds; if it stays, tell the administrator: Redis is not to be reached, and the setting limits_without_redis is `refuse`',
  },
  store_unavailable: {
    status: 503,
    message: 'the database of this site does not answer, so nothing can be decided for certain',
    remedy:
      'try again in {wait_seconds} second; if it stays, tell the administrator. its operator: does the database run, and does every server reach it?',
  },
  users_unavailable: {
    status: 503,
    message: 'the application behind this site did not say who its users are, so nobody can be let in',
    remedy:
      'try again in a minute; if it stays, give the administrator the time and the request id {request_id}',
  },
  internal: {
    status: 500,
    message: 'something went wrong on this server, and the fault is not in your request',
    remedy: 'try again; if it stays, give the administrator the time and the request id {request_id}',
  },
} as const
refusalCatalogue satisfies Record<string, CatalogueEntry>

/** The stable, machine-readable name of a refusal. */
export type Reason = keyof typeof refusalCatalogue

/** The names of the placeholders in a text of the catalogue. */
export type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never

type TextsOf<R extends Reason> = Extract<
  (typeof refusalCatalogue)[R][keyof (typeof refusalCatalogue)[R]],
  string
>

/** The values that fill the placeholders in a reason's texts. */
export type RefusalDetails<R extends Reason> = Readonly<Record<Placeholders<TextsOf<R>>, string | number>>

/** A refusal as a value: what the domain returns, what HTTP, the pages and the terminal put into words. */
export interface Refusal {
  readonly reason: Reason
  /** The values behind the placeholders of `message` and `remedy`. Never a secret. */
  readonly details: Readonly<Record<string, string | number>>
  /** The HTTP status of the answer. */
  readonly status: number
  readonly errorType: WireErrorType | undefined
  /** What was wrong, filled in. */
  readonly message: string
  /** How to mend it, filled in. */
  readonly remedy: string
  /** Of a refusal for scope alone. */
  readonly scopes?: RefusedScopes
}

/** What a refusal for scope is about, by name. */
export interface RefusedScopes {
  /** Those that would permit the request, the narrowest first; empty when none would. One of them is enough. */
  readonly needed: readonly string[]
  /** Those of the key. One that is in both lists is narrowed on the key to other values than the request's. */
  readonly granted: readonly string[]
  /** Those of `granted` that are narrowed, with the values that the key has. */
  readonly narrowed?: readonly NarrowedScope[]
}

/** Makes the refusal for `reason`; the compiler asks for exactly the details that its texts name. */
export function refusal<R extends Reason>(
  reason: R,
  ...details: [keyof RefusalDetails<R>] extends [never] ? [] : [RefusalDetails<R>]
): Refusal {
  const entry: CatalogueEntry = refusalCatalogue[reason]
  const values: Readonly<Record<string, string | number>> = details[0] ?? {}
  return {
    reason,
    details: values,
    status: entry.status,
    errorType: entry.errorType,
    message: fill(entry.message, values),
    remedy: fill(entry.remedy, values),
  }
}

/** The JSON body of a refusal: the protocol's own fields (§12) and ours beside them. */
export interface RefusalBody {
  readonly errors: readonly string[]
  readonly error_type?: WireErrorType
  readonly extras?: Readonly<Record<string, string | number>>
  readonly reason: Reason
  readonly message: string
  readonly remedy: string
  readonly docs_url: string
  /** What the server's log and the audit log call the request. */
  readonly trace_id?: string
  /** Of a refusal for scope: {@link RefusedScopes}. */
  readonly needed_scopes?: readonly string[]
  readonly granted_scopes?: readonly string[]
  /** No field where none of the key's scopes is narrowed. */
  readonly narrowed_scopes?: readonly NarrowedScope[]
}

/** Puts a refusal into its JSON body. `docsUrl` is the address of the error pages, without a trailing slash. */
export function refusalBody(refused: Refusal, docsUrl: string, traceId?: string): RefusalBody {
  const entry: CatalogueEntry = refusalCatalogue[refused.reason]
  const { details, scopes } = refused
  const { wait_seconds: waitSeconds, time_left: timeLeft } = details
  return {
    errors: [fill(entry.wire ?? wireText(entry), details)],
    ...(entry.errorType ? { error_type: entry.errorType } : {}),
    ...(waitSeconds !== undefined && timeLeft !== undefined
      ? { extras: { wait_seconds: waitSeconds, time_left: timeLeft } }
      : {}),
    reason: refused.reason,
    message: refused.message,
    remedy: refused.remedy,
    docs_url: `${docsUrl}/${refused.reason}`,
    ...(traceId === undefined ? {} : { trace_id: traceId }),
    ...(scopes ? { needed_scopes: scopes.needed, granted_scopes: scopes.granted } : {}),
    ...(scopes?.narrowed?.length ? { narrowed_scopes: scopes.narrowed } : {}),
  }
}

/** Thrown where a refusal cannot be returned: by the client library and at the edges of the program. */
export class HallpassError extends Error {
  override readonly name: string = 'HallpassError'
  /** The stable name of what went wrong; a {@link Reason} or, in the client, one of its own reasons. */
  readonly reason: string
  /** How to mend it. */
  readonly remedy: string

  constructor(reason: string, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
    this.remedy = remedy
  }
}

/** Puts `values` into the placeholders of a catalogue's text; one without a value becomes nothing. */
export function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

function wireText(entry: CatalogueEntry): string {
  if (entry.errorType === 'invalid_access') return notPermitted
  return entry.message
}
