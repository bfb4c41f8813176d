import { HallpassApiError, readRefusal } from './api-error.ts'
import { clientError } from './client-errors.ts'
import { readJsonObject, send, type Transport } from './http.ts'
import { siteAddress } from './site-address.ts'

export interface PreviewOptions extends Transport {
  readonly signal?: AbortSignal
}

/**
 * Asks the site, before any browser is opened, whether it would accept the request behind an authorization address:
 * a site checks it before it asks who is there (protocol §3.2). Resolves when nothing speaks against it.
 * Throws {@link HallpassApiError} with the site's reason, and `authorization_refused` for a site that gives none.
 */
export async function previewAuthorization(url: string, options: PreviewOptions = {}): Promise<void> {
  const site = siteAddress(url)
  const { search, searchParams } = new URL(url)
  const init: RequestInit = {
    headers: { Accept: 'application/json' },
    redirect: 'manual',
    credentials: 'omit',
  }
  if (options.signal) init.signal = options.signal
  const answer = await send(`${site}/user-api-key/new.json${search}`, init, options)
  const path = '/user-api-key/new'
  if (answer.status >= 500)
    throw clientError('site_answer_unexpected', { url: site + path, status: answer.status })
  if (answer.status >= 400) throw await readRefusal(answer, { site, method: 'GET', path })
  // To the sign-in page: the request is good.
  if (answer.status !== 200) return
  const body = (await readJsonObject(answer)) ?? {}
  if (body.state !== 'generic_error') return
  const { reason, message, remedy, docs_url: docsUrl } = body
  if (typeof reason !== 'string' || typeof message !== 'string') {
    const redirect = searchParams.get('auth_redirect') ?? 'nothing'
    throw clientError('authorization_refused', { site, scopes: searchParams.get('scopes') ?? '', redirect })
  }
  throw new HallpassApiError({
    reason,
    message,
    remedy: typeof remedy === 'string' ? remedy : '',
    status: answer.status,
    errorType: undefined,
    errors: [],
    docsUrl: typeof docsUrl === 'string' ? docsUrl : undefined,
    waitSeconds: undefined,
  })
}
