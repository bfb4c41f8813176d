/** What an event makes stale in the memory of every process on the database; those that did not commit it are told. */
import type { DomainEvent } from './events.ts'

/**
 * Something to forget. It says of what, never what became of it: neither a setting's value nor a key's text.
 *
 * - `key`: the key with this hash
 * - `user`: the user with this id, as the owner of keys
 * - `client`: the client with this id, as the one that keys are for
 * - `settings`, `signing_keys`: all of them; `value` is empty
 */
export interface CacheChange {
  readonly kind: 'key' | 'user' | 'client' | 'settings' | 'signing_keys'
  readonly value: string
}

/**
 * What has to be forgotten because of an event; mostly nothing, or one thing.
 *
 * A user API key that was just issued is nothing to forget: its text is random, so nobody can have tried it before. An API
 * key may have a text that somebody chose, and another process may remember that there was no such key.
 */
export function changesOf(event: DomainEvent): readonly CacheChange[] {
  switch (event.type) {
    case 'user_api_key_replaced':
    case 'user_api_key_revoked':
    case 'user_api_key_restored':
    case 'user_api_key_client_changed':
    case 'user_api_key_deleted':
    case 'api_key_created':
    case 'api_key_updated':
    case 'api_key_deleted':
    case 'api_key_revoked':
    case 'api_key_restored':
      return [{ kind: 'key', value: event.keyHash }]
    case 'user_changed':
      return [{ kind: 'user', value: event.userId }]
    case 'client_renamed':
    case 'client_deleted':
      return [{ kind: 'client', value: event.clientId }]
    case 'setting_changed':
      return [{ kind: 'settings', value: '' }]
    case 'signing_key_made':
    case 'signing_key_deleted':
      return [{ kind: 'signing_keys', value: '' }]
    case 'user_api_key_issued':
    case 'device_request_denied':
    case 'device_request_approved':
    case 'client_registered':
    case 'client_first_seen':
    case 'one_time_password_issued':
    case 'one_time_password_used':
    case 'user_created':
    case 'signed_in':
    case 'push_delivery_dead':
    case 'push_delivery_retried':
    case 'job_run_asked_for':
      return []
  }
}
