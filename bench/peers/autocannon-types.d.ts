/** What peers/autocannon.ts uses of autocannon, which brings no types. */
declare module 'autocannon' {
  interface Request {
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
  }
  interface Options extends Request {
    readonly url: string
    readonly connections: number
    /** Seconds. */
    readonly duration: number
    readonly method: string
    readonly requests: readonly { readonly setupRequest: (request: Request) => Request }[]
  }
  interface Result {
    readonly requests: { readonly total: number }
    /** Seconds. */
    readonly duration: number
    readonly errors: number
    readonly timeouts: number
    /** Milliseconds. */
    readonly latency: { readonly p50: number; readonly p99: number }
  }
  interface Running extends Promise<Result> {
    on(event: 'response', listener: (client: unknown, status: number) => void): void
  }
  const autocannon: (options: Options) => Running
  export = autocannon
}
