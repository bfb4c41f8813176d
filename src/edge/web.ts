/**
 * Hallpass in front of a web-standard handler, on Next.js, SvelteKit, Astro, h3, Bun, Deno and the like: `hallpass/web`.
 */
import type { Identity } from '../domain/identity.ts'
import {
  admit,
  answerHeaders,
  type BodyParameters,
  type GuardingHallpass,
  type GuardOptions,
} from './guard.ts'
import { hasBody } from './web-body.ts'

export type { Identity } from '../domain/identity.ts'
export type { GuardingHallpass, GuardOptions } from './guard.ts'

/** Answers a request that the guard let through; `rest` is what the framework hands on beside the request. */
export type GuardedHandler<Rest extends readonly unknown[]> = (
  request: Request,
  identity: Identity | undefined,
  ...rest: Rest
) => Response | Promise<Response>

export interface WebGuardOptions<Rest extends readonly unknown[]> extends GuardOptions {
  /**
   * The address of the peer, which a web-standard request does not tell. Default: unknown, and limits that count by
   * address do not hold.
   */
  readonly remoteAddress?: (request: Request, ...rest: Rest) => string | null | undefined
  /**
   * Reads the parameters of a form or a JSON body, out of a copy of the request, which is kept in memory until both are
   * read; other bodies are left alone. Without it a key that is narrowed by such parameters is refused, and a form's CSRF
   * token does not count. Default: all bodies are left alone.
   */
  readonly parameters?: (copy: Request) => Promise<Readonly<Record<string, unknown>> | undefined>
}

/**
 * `handler` behind Hallpass: a web-standard handler that answers for Hallpass's own routes and pages, refuses requests
 * whose key does not allow them, and tells `handler` who sent the others. It rejects with what `handler` rejects with.
 */
export function guard<Rest extends readonly unknown[]>(
  hallpass: GuardingHallpass,
  handler: GuardedHandler<Rest>,
  options: WebGuardOptions<Rest> = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    const connection = { remoteAddress: options.remoteAddress?.(request, ...rest) ?? null }
    const own = await hallpass.handle(request, connection)
    if (own) return own
    const body = hasBody(request) ? await parametersOf(request, options.parameters) : undefined
    const admission = await admit(hallpass, { request, connection, body }, options)
    if (admission.outcome === 'answered') return admission.response
    const { identity } = admission
    const response = await handler(request, identity, ...rest)
    return withHeaders(response, answerHeaders(hallpass, request, identity, undefined))
  }
}

async function parametersOf(
  request: Request,
  read: WebGuardOptions<readonly unknown[]>['parameters'],
): Promise<BodyParameters> {
  if (!read || !parsable.test(request.headers.get('content-type') ?? '')) return 'unread'
  try {
    return (await read(request.clone())) ?? 'unread'
  } catch {
    // What is wrong with a body the handler will find out, and say in its own words.
    return 'unread'
  }
}

const parsable = /^(?:\S+[/+]json|application\/x-www-form-urlencoded|multipart\/form-data)\s*(?:;|$)/i

function withHeaders(response: Response, added: Headers): Response {
  // A switch of protocols has no headers that anybody could add to.
  if (response.status < 200) return response
  const headers = new Headers(response.headers)
  for (const [name, value] of added) {
    if (name === 'vary') headers.append(name, value)
    else headers.set(name, value)
  }
  const { status, statusText } = response
  return new Response(response.body, { status, statusText, headers })
}
