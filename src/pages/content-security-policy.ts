/** What varies in the policy. */
export interface ContentSecurityPolicyOptions {
  /**
   * Where the answer to the page's form may redirect to: an address, an origin, or a scheme with its colon. Give the
   * consent page the request's `auth_redirect`. Default: nowhere but this site.
   */
  readonly formAction?: string
}

/**
 * The value of `Content-Security-Policy` for every page: scripts, styles and images come from this site's own files
 * only, nothing is inline, and no other site may put the page into a frame.
 *
 * Chromium holds the redirect that answers a form against `form-action`, and every redirect after that one as well.
 * An app's own scheme ends such a chain, so it is named. A web address may lead on, and we cannot know where to (the
 * official app's https://api.discourse.org/api/auth_redirect goes on to discourse://, a program on this computer often
 * to a page that says «you may close this window»); there the directive is left out, for with it the user would press
 * Authorize and see nothing happen. The site's list of redirects has decided about the address long before.
 */
export function contentSecurityPolicy(options: ContentSecurityPolicyOptions = {}): string {
  const directives = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    ...formAction(options.formAction),
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  return directives.join('; ')
}

function formAction(target: string | undefined): readonly string[] {
  // Only the scheme is taken over, and only if it is one: what else an address holds could end the directive.
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(target ?? '')?.[1]?.toLowerCase()
  if (scheme === 'http' || scheme === 'https') return []
  return [scheme === undefined ? "form-action 'self'" : `form-action 'self' ${scheme}:`]
}
