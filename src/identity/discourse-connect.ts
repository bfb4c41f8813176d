/**
 * Signing in at a site that speaks DiscourseConnect as a provider: both sides sign what they send with a secret that they
 * share (HMAC-SHA256 of the Base64 text, in hexadecimal).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { claimText, subjectOf } from './claims.ts'
import { type RedirectingSignIn, SignInFailed } from './redirecting-sign-in.ts'
import type { DiscourseConnectOptions } from './sign-in-options.ts'

/** @throws TypeError for an address that is none, and for a secret that is too short to be one */
export function createDiscourseConnect(options: DiscourseConnectOptions): RedirectingSignIn {
  const { secret, staff = false } = options
  const address = URL.canParse(options.url) ? new URL(options.url) : undefined
  if (!address || !/^https?:$/.test(address.protocol)) {
    throw new TypeError(`the provider's address must be an http or https address, not ${options.url}`)
  }
  if (secret.length < 10) throw new TypeError('the secret must have 10 characters or more')
  const provider = `discourse-connect ${options.url}`

  return {
    label: options.label ?? address.host,

    async begin({ callbackUrl, state }) {
      const asked = new URLSearchParams({ nonce: state, return_sso_url: callbackUrl }).toString()
      const sso = Buffer.from(asked).toString('base64')
      const location = new URL(address)
      location.searchParams.set('sso', sso)
      location.searchParams.set('sig', sign(sso, secret).toString('hex'))
      return { location: location.href, keep: {} }
    },

    stateOf: (query) => answerIn(query, secret)?.get('nonce') ?? undefined,

    async finish(url, { state }) {
      const answer = answerIn(url.searchParams, secret)
      if (answer?.get('nonce') !== state) throw new SignInFailed('its answer could not be trusted')
      if (answer.get('failed') === 'true') throw new SignInFailed('you, or it, declined')
      const isVerified = answer.get('require_activation') !== 'true'
      return {
        provider,
        subject: subjectOf(answer.get('external_id')),
        username: claimText(answer.get('username')),
        name: claimText(answer.get('name')),
        email: isVerified ? claimText(answer.get('email')) : undefined,
        ...(staff && {
          admin: answer.get('admin') === 'true',
          moderator: answer.get('moderator') === 'true',
        }),
      }
    },
  }
}

/** What the provider says; undefined unless its signature fits. */
function answerIn(query: URLSearchParams, secret: string): URLSearchParams | undefined {
  const [sso = '', sig = ''] = [query.get('sso') ?? '', query.get('sig') ?? '']
  const given = Buffer.from(sig, 'hex')
  const expected = sign(sso, secret)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  return new URLSearchParams(Buffer.from(sso, 'base64').toString('utf8'))
}

function sign(text: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(text).digest()
}
