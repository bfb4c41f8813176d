import { normalizeUserCode } from '../protocol/device-request.ts'
import { hashSecret } from './key-text.ts'
import type { Domain, LogFact } from './ports.ts'

/**
 * Writes a step of the device flow to the server's log, when the setting `verbose_user_api_key_device_auth_logging` is
 * on (protocol §5.8). `facts` go by their wire names. Codes and tokens become the first 12 hexadecimal digits of their
 * SHA-256, which tell requests apart and are of no other use; of keys, nonces and payloads it says only that they are
 * there; other texts are cut at 256 characters.
 */
export function logDeviceStep(
  { log, settings }: Pick<Domain, 'log' | 'settings'>,
  step: string,
  facts: Readonly<Record<string, LogFact>>,
): void {
  if (!settings.current().verbose_user_api_key_device_auth_logging) return
  const told = Object.entries(facts).map(([name, value]) => [name, redacted(name, value)])
  log({ event: 'device_auth', step, ...Object.fromEntries(told) })
}

const longest = 256
const codes: ReadonlySet<string> = new Set(['device_code', 'user_code', 'request_token', 'approval_token'])
const secrets: ReadonlySet<string> = new Set(['key', 'access_token', 'nonce', 'payload', 'public_key'])

function redacted(name: string, value: LogFact): LogFact {
  if (typeof value !== 'string') return value
  if (secrets.has(name)) return 'present'
  // However a user code was typed, it is one code.
  if (name === 'user_code') return digest(normalizeUserCode(value) ?? value)
  if (codes.has(name)) return digest(value)
  return value.slice(0, longest)
}

function digest(text: string): string {
  return hashSecret(text).slice(0, 12)
}
