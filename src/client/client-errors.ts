/** What can go wrong on an app's side, before a site has refused anything. What a site refuses is in `protocol/errors.ts`. */
import { fill, HallpassError, type Placeholders } from '../protocol/errors.ts'

interface ClientCatalogueEntry {
  /** What went wrong. Lower-case; `{name}` stands for a detail. */
  readonly message: string
  /** How to mend it. Same form as `message`. */
  readonly remedy: string
}

/** Every reason that the client has of its own, by its stable name. */
export const clientErrorCatalogue = {
  // The site.
  site_address_invalid: {
    message: '`{site}` is not the address of a site: {problem}',
    remedy: 'give the address that you open in a browser, such as https://forum.example.com',
  },
  site_unreachable: {
    message: '{site} cannot be reached: {problem}',
    remedy: 'check the address and the network, then try again',
  },
  site_without_api: {
    message: '{site} has no user API keys: {url} answers {answer}',
    remedy: 'check the address. for a site in a folder give the folder too, as in https://example.com/forum',
  },
  site_version_unsupported: {
    message: '{site} speaks version {version} of user API keys; version 2 or later is needed',
    remedy: 'ask the site’s administrator to update it',
  },
  site_answer_unexpected: {
    message: '{url} answers {status}, which is neither success nor a refusal that can be read',
    remedy: 'try again in a minute; if it stays, ask the site’s administrator',
  },
  answer_not_json: {
    message: '{method} {path} answers {type}, not json',
    remedy: 'ask for the path with .json at its end, or take the answer as it is with `fetch`',
  },

  // The authorization.
  authorization_refused: {
    message: '{site} would refuse this request, and does not say why',
    remedy:
      'ask an administrator to look at three settings: allow_user_api_key_scopes must hold {scopes}, allowed_user_api_auth_redirects must hold {redirect}, and max_user_api_key_expiry_days must not be below the expiry asked for',
  },
  narrowing_not_offered: {
    message: '{site} does not say that it narrows scopes: it could give a key with the whole of {scopes}',
    remedy:
      'ask without `scopeParameters`, if the whole scope is meant, or ask the site’s administrator to update it',
  },
  authorization_denied: {
    message: 'the request was denied on {site}',
    remedy: 'start again if that was a mistake',
  },
  site_without_device_flow: {
    message: '{site} has no device flow',
    remedy: 'use the browser flow: leave out --device',
  },
  authorization_timed_out: {
    message: 'nobody approved within {waited}',
    remedy: 'start again, and approve in the browser while the app waits',
  },
  payload_missing: {
    message: 'there is no payload in {where}',
    remedy: 'hand over the whole address that the browser was sent to, or the payload that the page shows',
  },
  payload_malformed: {
    message: 'the payload cannot be read: {problem}',
    remedy: 'copy the payload again, from its first character to its last, and nothing else',
  },
  payload_incomplete: {
    message: 'the payload is incomplete: {actual} of {expected} characters',
    remedy: 'copy all of it. a terminal or a chat may have cut off its end',
  },
  payload_too_long: {
    message: 'the payload is too long: {actual} characters where {expected} were expected',
    remedy: 'copy the payload once, and check that it was made for this key pair',
  },
  payload_not_opened: {
    message: 'this private key does not open the payload: neither {first} nor {second} fits',
    remedy:
      'the payload was made for another key pair, or was damaged on the way. start again, and keep the pending authorization unchanged until the payload arrives',
  },
  nonce_mismatch: {
    message: 'the payload answers another request: its nonce is not the one that was sent',
    remedy: 'throw the payload away and start again. somebody may have tried to slip in a key of their own',
  },

  // A call.
  outside_site: {
    message: '{url} is not part of {site}, so the key was not sent there',
    remedy: 'call a path of the site that the key is for',
  },
  redirected_outside_site: {
    message:
      '{method} {path} redirects to {target}, which is not part of {site}, so the key was not sent there',
    remedy: 'if the site has moved, authorize again with its new address',
  },
  redirect_hidden: {
    message: '{method} {path} redirects, and a browser does not tell an app where to',
    remedy: 'call the address that it redirects to',
  },
  redirected_too_often: {
    message: '{method} {path} redirects more than {limit} times',
    remedy: 'tell the site’s administrator; no app can mend this',
  },
  access_refused: {
    message: '{site} refused {method} {path}, and does not say why',
    remedy:
      'the key may be revoked or expired, or its owner may not do this themselves. see the apps page in the owner’s preferences; if the key is gone from it, authorize again',
  },
  call_refused: {
    message: '{site} refused {method} {path} with {status}: {problem}',
    remedy: 'mend what the site names, and send it again',
  },
  call_failed: {
    message: '{site} failed at {method} {path} with {status}',
    remedy: 'try again in a minute; if it stays, ask the site’s administrator',
  },

  // Kept credentials.
  credential_missing: {
    message: 'there is no key for {site}',
    remedy: 'run `{command}`',
  },
  credential_revoked: {
    message: 'the key for {site} was revoked on {revoked_at}',
    remedy: 'run `{command}`',
  },
  credential_file_unreadable: {
    message: 'the credential file {path} cannot be used: {problem}',
    remedy: '{remedy}',
  },
} as const

/** The stable name of something that went wrong on the app's side. */
export type ClientReason = keyof typeof clientErrorCatalogue

/** The values that fill the placeholders in a reason's texts. */
export type ClientErrorDetails<R extends ClientReason> = Readonly<
  Record<
    Placeholders<(typeof clientErrorCatalogue)[R]['message'] | (typeof clientErrorCatalogue)[R]['remedy']>,
    string | number
  >
>

/** The error for `reason`; the compiler asks for exactly the details that its texts name. Never put a secret in one. */
export function clientError<R extends ClientReason>(
  reason: R,
  details: ClientErrorDetails<R>,
  options?: ErrorOptions,
): HallpassError {
  const entry: ClientCatalogueEntry = clientErrorCatalogue[reason]
  return new HallpassError(reason, fill(entry.message, details), fill(entry.remedy, details), options)
}
