import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { guardStore } from '../../src/domain/guarded-store.ts'
import { type Store, StoreUnavailable } from '../../src/domain/store.ts'
import { isUnavailable } from '../../src/storage/unavailable.ts'

function guarded(parts: object, timeoutMs = 20): Store {
  return guardStore(parts as Store, { timeoutMs: () => timeoutMs, isUnavailable })
}

async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Lets nothing happen in this process, not even timers. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const never = (): Promise<never> => new Promise(() => {})
const refusing = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' })

describe('guardStore', () => {
  test('answers as the store does', async () => {
    const store = guarded({ settings: { all: async () => ['one'] }, transaction: async () => 'done' })
    assert.deepEqual(await store.settings.all(), ['one'])
    assert.equal(await store.transaction(async () => 'x'), 'done')
  })

  test('gives up what does not answer in time, inside and outside of transactions', async () => {
    const store = guarded({ settings: { all: never }, transaction: never, ping: never })
    for (const question of [store.settings.all(), store.transaction(async () => 1), store.ping()]) {
      await assert.rejects(question, StoreUnavailable)
    }
  })

  // Else a server that was paused, with its database all the while there, refuses good keys once it goes on.
  test('takes an answer that came while the process stood still', async (t) => {
    const server = createServer().listen(0, '127.0.0.1')
    t.after(() => server.close())
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
    const here = connect(await portOf(server), '127.0.0.1')
    t.after(() => here.destroy())
    const there = await accepted
    const store = guarded({
      ping: () => new Promise((resolve) => here.once('data', (data) => resolve(String(data)))),
    })
    const answer = store.ping()
    there.write('well')
    standStill(100)
    assert.equal(await answer, 'well')
  })

  test('says of an error of the connection what it is, and passes others on', async () => {
    const answers = [refusing, new Error('no such column')]
    const store = guarded({ ping: async () => Promise.reject(answers.shift()) })
    await assert.rejects(store.ping(), (error: Error) => {
      return error instanceof StoreUnavailable && error.cause === refusing
    })
    await assert.rejects(store.ping(), /^Error: no such column$/)
  })

  // What an attacker would gain: a server that runs out of memory while its database hangs.
  test('lets no more than a thousand wait, refuses others at once, and recovers', async () => {
    const late = Promise.withResolvers<string>()
    let asked = 0
    const store = guarded(
      {
        ping: () => {
          asked += 1
          return late.promise
        },
      },
      60_000,
    )
    const waiting = Array.from({ length: 1000 }, () => store.ping())
    await assert.rejects(store.ping(), StoreUnavailable)
    assert.equal(asked, 1000)
    late.resolve('well')
    await Promise.all(waiting)
    await store.ping()
    assert.equal(asked, 1001)
  })

  test('counts a question as waiting until the store itself is done with it', async () => {
    const late = Promise.withResolvers<string>()
    const store = guarded({ ping: () => late.promise }, 1)
    const given = Array.from({ length: 1000 }, () => store.ping().catch(() => 'given up'))
    assert.deepEqual(new Set(await Promise.all(given)), new Set(['given up']))
    await assert.rejects(store.ping(), /wait for the database already/)
    late.resolve('well')
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(await store.ping(), 'well')
  })
})

describe('isUnavailable', () => {
  const cases: readonly (readonly [string, object, boolean])[] = [
    ['a locked file', { errcode: 5, message: 'database is locked' }, true],
    ['a failing disk', { errcode: 266, message: 'disk I/O error' }, true],
    ['a closed database', { code: 'ERR_INVALID_STATE', message: 'database is not open' }, true],
    ['a refused connection', { code: 'ECONNREFUSED', message: '' }, true],
    ['a server that shuts down', { code: '57P01', message: '' }, true],
    ['a lost connection', { message: 'Connection terminated unexpectedly' }, true],
    ['a value that is taken', { errcode: 2067, message: 'UNIQUE constraint failed' }, false],
    ['a mistake in a query', { code: '42703', message: 'column does not exist' }, false],
    ['a mistake of ours', { code: 'ERR_INVALID_ARG_TYPE', message: '' }, false],
  ]
  for (const [name, fields, expected] of cases) {
    test(`${name}: ${expected ? 'yes' : 'no'}`, () => {
      assert.equal(isUnavailable(Object.assign(new Error(), fields)), expected)
    })
  }
})
