import type { Fetch } from '../../src/client/http.ts'

export interface RecordedRequest {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: unknown
}

export interface RecordedFetch {
  readonly fetch: Fetch
  readonly requests: readonly RecordedRequest[]
}

/** A `fetch` that gives these answers, one after another, and remembers what it was asked. */
export function recordedFetch(...answers: readonly (() => Response | Promise<Response>)[]): RecordedFetch {
  const requests: RecordedRequest[] = []
  return {
    requests,
    fetch: async (url, init) => {
      init.signal?.throwIfAborted()
      const { method = 'GET', headers, body } = init
      requests.push({ url, method, headers: new Headers(headers), body })
      const next = answers[requests.length - 1]
      if (!next) throw new TypeError(`an unexpected request: ${method} ${url}`)
      return next()
    },
  }
}

/** A JSON answer. */
export function jsonAnswer(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): () => Response {
  return () => Response.json(body, { status, headers })
}

/** An answer that sends elsewhere. */
export function redirectAnswer(status: number, location: string): () => Response {
  return () => new Response(null, { status, headers: { Location: location } })
}
