/** A PostgreSQL that stands still while it is closed: nothing waits for it for ever. */
import assert from 'node:assert/strict'
import { EventEmitter, getEventListeners } from 'node:events'
import { after, before, describe, test } from 'node:test'
import type { Client } from 'pg'
import { type ListeningConnection, listen } from '../../src/storage/postgres/listen.ts'
import { openPostgres } from '../../src/storage/postgres/open-postgres.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { type RunningPostgres, startPostgres } from '../running-postgres.ts'

const unheard = { onCommit: () => {}, onLost: () => {} }

describe('closing while PostgreSQL stands still', { skip: process.platform !== 'linux' }, () => {
  let server: RunningPostgres
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  // A server that does not end on SIGTERM is ended by SIGKILL, and loses what it would have written to a log.
  test('ends within seconds, idle connections, a listening one, and transactions that wait', async () => {
    const database = await openPostgres({ url: server.url })
    await database.watch(unheard)
    const db = database.tables<unknown>()
    const begun = Promise.withResolvers<void>()
    const frozen = Promise.withResolvers<void>()
    const running = inTransaction(db, async (transaction) => {
      begun.resolve()
      await frozen.promise
      await database.announce(transaction, [])
    })
    const waiting = inTransaction(db, (transaction) => database.announce(transaction, []))
    await begun.promise
    server.freeze()
    frozen.resolve()
    const since = performance.now()
    const outcomes = Promise.allSettled([running, waiting])
    await database.close()
    const tookMs = performance.now() - since
    server.thaw()
    assert.ok(tookMs < 9000, `${tookMs} ms`)
    assert.deepEqual(new Set((await outcomes).map(({ status }) => status)), new Set(['rejected']))
  })
})

describe('a listener that is stopped', () => {
  // Nothing else keeps the process: a listener between two attempts does not.
  const awake = setInterval(() => {}, 1000)
  after(() => clearInterval(awake))

  function connection(): ListeningConnection {
    const client = new EventEmitter() as unknown as Client
    client.query = (async () => ({ rows: [] })) as unknown as Client['query']
    return { client, end: async () => {} }
  }

  test('while its connection is made: ends', async () => {
    const made = Promise.withResolvers<ListeningConnection>()
    const connecting = Promise.withResolvers<void>()
    let attempt = 0
    const stop = await listen(
      async () => {
        attempt += 1
        if (attempt === 1) throw new Error('not there yet')
        connecting.resolve()
        return made.promise
      },
      'me',
      unheard,
    )
    await connecting.promise
    const stopped = stop()
    made.resolve(connection())
    await stopped
  })

  test('leaves nothing behind of the connections that it had', async () => {
    const first = connection()
    const second = connection()
    const signals: AbortSignal[] = []
    const again = Promise.withResolvers<void>()
    const stop = await listen(
      async (signal) => {
        signals.push(signal)
        return signals.length === 1 ? first : second
      },
      'me',
      { onCommit: () => again.resolve(), onLost: () => {} },
    )
    first.client.emit('end')
    await again.promise
    assert.equal(getEventListeners(signals[0] ?? new EventTarget(), 'abort').length, 1)
    await stop()
  })
})
