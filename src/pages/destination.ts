import { type Html, html } from './html.ts'

export interface DestinationModel {
  /** The request's `auth_redirect`; empty for none. */
  readonly authRedirect: string
  /** The host of the redirect; null when there is none to show (protocol §3.2). */
  readonly redirectHost: string | null
  /** Whether the redirect goes to a program on the user's own computer. */
  readonly redirectIsLoopback: boolean
}

/** Where what an app asks for goes. A redirect without a host to show is an app's own scheme (protocol §3.2). */
export function destination({ authRedirect, redirectHost, redirectIsLoopback }: DestinationModel): Html {
  const address = authRedirect.trim()
  if (redirectIsLoopback) {
    return html`<div class="authorize-api-key__redirect-url"><dt>Goes to</dt><dd><strong>an app on this computer</strong>${
      redirectHost === null ? null : html` <span class="quiet">at <bdi>${redirectHost}</bdi></span>`
    }</dd></div>`
  }
  if (redirectHost !== null && isWebAddress(address)) {
    return html`<div class="authorize-api-key__redirect-url"><dt>Goes to</dt><dd><strong><bdi>${redirectHost}</bdi></strong> <span class="quiet">You will be sent there.</span></dd></div>`
  }
  if (address !== '') {
    const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(address)?.[0] ?? ''
    return html`<div class="authorize-api-key__redirect-url"><dt>Goes to</dt><dd><strong>an app on this device</strong> <span class="quiet">the one that opens <bdi>${scheme}</bdi> links${
      redirectHost === null ? null : html` at <bdi>${redirectHost}</bdi>`
    }</span></dd></div>`
  }
  return html`<div><dt>Goes to</dt><dd><strong>you</strong> <span class="quiet">The next page shows a sealed key, for you to copy into the app.</span></dd></div>`
}

function isWebAddress(address: string): boolean {
  return address === '' || /^https?:/i.test(address)
}
