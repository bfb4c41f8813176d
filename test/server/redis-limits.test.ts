import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createClient } from '@redis/client'
import { redisLimits } from '../../src/server/redis-limits.ts'
import { eventually } from '../eventually.ts'
import { redisServer, startRedis } from '../redis-server.ts'
import { aDay, allOfRedis, aMinute, letIn, limitNode, testStore } from './limit-nodes.ts'

const { skip } = redisServer

// What an attacker would gain: as many times the limit as there are nodes, for a key or for guessing from an address.
describe('redisLimits', { skip }, () => {
  test('two nodes let in what one would, when each has heard of the other', async (t) => {
    const { url } = await startRedis(t)
    const store = await testStore(t)
    const one = await limitNode(t, redisLimits({ url }), { store })
    const other = await limitNode(t, redisLimits({ url }), { store })
    assert.equal(letIn(one, aMinute, 'key', 12), 12)
    await eventually(() => other.counts(aMinute) === 12)
    assert.equal(letIn(other, aMinute, 'key'), 8)
    await eventually(() => one.counts(aMinute) === 20)
    assert.equal(letIn(one, aMinute, 'key'), 0)
    assert.equal(letIn(one, aMinute, 'another'), 20)
  })

  test('hammered through both nodes, a key gets no more than its twenty and what one exchange lets in', async (t) => {
    const { url } = await startRedis(t)
    const store = await testStore(t)
    const nodes = [
      await limitNode(t, redisLimits({ url }), { store }),
      await limitNode(t, redisLimits({ url }), { store }),
    ] as const
    let total = 0
    // In every exchange each node lets in two, without knowing of the other's two.
    const perExchange = 2
    for (let exchange = 0; exchange < 15; exchange += 1) {
      for (const node of nodes) total += letIn(node, aMinute, 'key', perExchange)
      const expected = total
      for (const node of nodes) await eventually(() => node.counts(aMinute) === expected)
    }
    assert.ok(total >= 20 && total <= 20 + perExchange, `${total} were let in`)
  })

  test('what is given back is given back everywhere, told of before or not', async (t) => {
    const { url } = await startRedis(t)
    const store = await testStore(t)
    const one = await limitNode(t, redisLimits({ url }), { store })
    const other = await limitNode(t, redisLimits({ url }), { store })
    letIn(one, aMinute, 'key', 5)
    one.limiter.giveBack(aMinute, 'key')
    await eventually(() => other.counts(aMinute) === 4)
    one.limiter.giveBack(aMinute, 'key')
    await eventually(() => other.counts(aMinute) === 3)
  })

  test('a node that starts counts what was let in before, in its minute and in its day', async (t) => {
    const { url } = await startRedis(t)
    const store = await testStore(t)
    const one = await limitNode(t, redisLimits({ url }), { store })
    letIn(one, aMinute, 'key', 15)
    letIn(one, aDay, 'key', 30)
    await one.shared.stop()
    // As if more than the stream holds had passed: the day is known from elsewhere.
    const minute = await limitNode(t, redisLimits({ url }), { store })
    assert.equal(letIn(minute, aMinute, 'key'), 5)
    await minute.shared.stop()
    const client = await createClient({ url }).connect()
    await client.del('hallpass:limits:stream')
    client.destroy()
    const day = await limitNode(t, redisLimits({ url }), { store })
    assert.equal(letIn(day, aDay, 'key', 1), 1)
    await eventually(() => day.counts(aDay) === 31)
    assert.equal(letIn(day, aDay, 'key'), 19)
  })

  test('a day that is in the stream too counts once', async (t) => {
    const { url } = await startRedis(t)
    const store = await testStore(t)
    const one = await limitNode(t, redisLimits({ url }), { store })
    letIn(one, aDay, 'key', 30)
    await one.shared.stop()
    const again = await limitNode(t, redisLimits({ url }), { store })
    letIn(again, aDay, 'key', 1)
    letIn(again, aDay, 'another', 1)
    // Once the second is answered, the first has been.
    await eventually(async () => (await allOfRedis(url)).split(':past:').length > 2)
    assert.equal(again.counts(aDay), 32)
  })

  test('clocks that are an hour apart make no difference', async (t) => {
    const { url } = await startRedis(t)
    const store = await testStore(t)
    const one = await limitNode(t, redisLimits({ url }), { store })
    const ahead = await limitNode(t, redisLimits({ url }), { store, clockOff: 3_600_000 })
    const behind = await limitNode(t, redisLimits({ url }), { store, clockOff: -3_600_000 })
    letIn(ahead, aMinute, 'key', 6)
    letIn(behind, aMinute, 'key', 7)
    for (const node of [one, ahead, behind]) await eventually(() => node.counts(aMinute) === 13)
    const waiting = letIn(one, aMinute, 'key')
    assert.equal(waiting, 7)
    for (const node of [one, ahead, behind]) {
      await eventually(() => node.counts(aMinute) === 20)
      const decision = node.limiter.take(aMinute, 'key')
      assert.ok(decision.outcome === 'limited' && decision.waitSeconds > 0 && decision.waitSeconds <= 60)
    }
  })

  // What an attacker who can read Redis would gain: who uses the site, from where, and the hashes of their keys.
  test('nothing that stands in Redis tells an address or the hash of a key', async (t) => {
    const { url } = await startRedis(t)
    const store = await testStore(t)
    const one = await limitNode(t, redisLimits({ url }), { store })
    const hash = 'a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90'
    letIn(one, aMinute, '192.0.2.77', 1)
    letIn(one, aDay, hash, 1)
    const text = await eventually(
      () => allOfRedis(url),
      (all) => all.includes(aMinute.name) && all.includes(':past:'),
    )
    assert.ok(!text.includes('192.0.2.77') && !text.includes(hash.slice(0, 12)), text)
  })

  test('what somebody else wrote into the stream does no harm', async (t) => {
    const { url } = await startRedis(t)
    const store = await testStore(t)
    const node = await limitNode(t, redisLimits({ url }), { store })
    const client = await createClient({ url }).connect()
    const entry = (b: string, n = '1'): Record<string, string> => ({ o: `x${Math.random()}`, n, a: '0', b })
    for (const fields of [
      { nothing: 'of the kind' },
      entry('no json'),
      entry('{"a":1}'),
      entry('[["twenty_a_minute",60000,"id"],["twenty_a_minute","x","id",1],[1,2,3],null]'),
      entry('[["twenty_a_minute",60000,"id",1e300,"id",1.5,"id",null]]'),
      entry('[["twenty_a_minute",60000,"id",9007199254740991]]'),
      entry('[["twenty_a_minute",60000,"id",-9007199254740991]]'),
      entry('[["twenty_a_minute",60000,"id",3]]', 'NaN'),
    ]) {
      await client.xAdd('hallpass:limits:stream', '*', fields)
    }
    await client.xAdd('hallpass:limits:stream', '*', entry('[["twenty_a_minute",60000,"id",3]]'))
    client.destroy()
    await eventually(() => node.counts(aMinute) === 3)
    assert.equal(letIn(node, aMinute, 'key'), 20)
    assert.equal(node.shared.status().shared, true)
  })
})

describe('without Redis', { skip }, () => {
  test('a node counts alone, says so once, and counts together again when Redis is back', async (t) => {
    const redis = await startRedis(t)
    const store = await testStore(t)
    const one = await limitNode(t, redisLimits(redis), { store })
    const other = await limitNode(t, redisLimits(redis), { store })
    await redis.kill()
    await eventually(() => !one.shared.status().shared && !other.shared.status().shared)
    assert.equal(letIn(one, aMinute, 'key', 9), 9)
    assert.equal(letIn(other, aMinute, 'key', 9), 9)
    await redis.start()
    await eventually(() => one.shared.status().shared && other.shared.status().shared)
    // What was let in meanwhile is told of now.
    await eventually(() => one.counts(aMinute) === 18 && other.counts(aMinute) === 18)
    const events = one.log.map(({ event }) => event)
    assert.deepEqual(events, ['limits_not_shared', 'limits_shared_again'])
    assert.match(String(one.log[0]?.cause), /ECONN|closed/)
  })

  test('a Redis that stands still is as one that is gone', async (t) => {
    const redis = await startRedis(t)
    const node = await limitNode(t, redisLimits(redis))
    redis.freeze()
    letIn(node, aMinute, 'key', 1)
    await eventually(() => !node.shared.status().shared)
    redis.thaw()
    await eventually(() => node.shared.status().shared)
  })

  test('a node starts without it, and lets nobody in where it is not to count alone', async (t) => {
    const redis = await startRedis(t)
    await redis.kill()
    const node = await limitNode(t, redisLimits(redis), { settings: { limits_without_redis: 'refuse' } })
    const decision = node.limiter.take(aMinute, 'key')
    assert.ok(decision.outcome === 'limited' && decision.unshared)
    await redis.start()
    await eventually(() => node.limiter.take(aMinute, 'key').outcome === 'allowed')
  })
})
