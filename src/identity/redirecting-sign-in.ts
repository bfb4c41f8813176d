import type { ExternalProfile } from '../domain/external-accounts.ts'

/** Signing in at another service, to which the browser is sent and from which it comes back. */
export interface RedirectingSignIn {
  /** What the service is called on pages. */
  readonly label: string
  /**
   * Where to send the browser, which comes back to `callbackUrl`. `state` comes back with it where the service's protocol
   * has a place for that. `keep`: what {@link RedirectingSignIn.finish} needs to be told again.
   *
   * @throws SignInUnavailable when the service cannot be asked
   */
  begin(sent: {
    readonly callbackUrl: string
    readonly state: string
  }): Promise<{ readonly location: string; readonly keep: Readonly<Record<string, string>> }>
  /** The state that came back; undefined when none did, or what came back is not the service's. */
  stateOf(query: URLSearchParams): string | undefined
  /**
   * Who it is. `url` is the address that the browser came back to.
   *
   * @throws SignInFailed when the service did not sign them in, or what came back cannot be trusted; SignInUnavailable
   */
  finish(
    url: URL,
    sent: { readonly state: string; readonly keep: Readonly<Record<string, string>> },
  ): Promise<ExternalProfile>
}

/** The service did not sign somebody in. The message says why, for them to read. */
export class SignInFailed extends Error {
  override readonly name = 'SignInFailed'
}

/** The service cannot be asked. The message says why, for them to read. */
export class SignInUnavailable extends Error {
  override readonly name = 'SignInUnavailable'
}
