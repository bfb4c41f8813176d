import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { onceOpen } from '../../src/cli/once-open.ts'
import type { NodeListeners } from '../../src/edge/node-server.ts'

/** Listeners that only note what they were asked. */
function noting(asked: string[]): NodeListeners {
  return {
    request: ({ method, url }) => void asked.push(`${method} ${url}`),
    upgrade: () => {},
    shouldUpgrade: () => false,
    breakOff: () => {},
  }
}

describe('onceOpen', () => {
  test('answers whether the server runs before the first administrator is there, and nothing else', async () => {
    const running = Promise.withResolvers<NodeListeners>()
    const opened = Promise.withResolvers<NodeListeners>()
    const listeners = onceOpen(opened.promise, running.promise)
    const asked: string[] = []
    for (const [method, url] of [
      ['GET', '/healthz'],
      ['POST', '/healthz'],
      ['GET', '/readyz'],
      ['POST', '/session'],
    ]) {
      listeners.request({ method, url } as never, {} as never)
    }
    running.resolve(noting(asked))
    await running.promise
    assert.deepEqual(asked, ['GET /healthz'])

    opened.resolve(noting(asked))
    await opened.promise
    assert.deepEqual(asked.slice(1), ['POST /healthz', 'GET /readyz', 'POST /session'])
  })
})
