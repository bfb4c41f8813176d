import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Store } from '../../src/domain/store.ts'
import { hearOthers } from '../../src/server/hear-others.ts'

describe('hearOthers', () => {
  test('forgets, and reads again, when others have changed something, and at no other turn', async (t) => {
    const { turn, heard, answers } = listener(t)
    await turn()
    assert.deepEqual(heard, [])
    answers.push(true)
    await turn()
    assert.deepEqual(heard, ['forget', 'reload'])
    await turn()
    assert.deepEqual(heard, ['forget', 'reload'])
  })

  // What an attacker would gain: a revoked key that goes on working for as long as the database is out of reach.
  test('keeps nothing while the store does not answer, tells of it once, and reads again when it does', async (t) => {
    const { turn, heard, answers } = listener(t)
    answers.push(new Error('no answer'))
    await turn()
    assert.deepEqual(heard, ['forget', 'no answer'])
    heard.length = 0
    await turn()
    assert.deepEqual(heard, ['forget', 'reload'])
    heard.length = 0
    await turn()
    assert.deepEqual(heard, [])
  })

  test('keeps nothing while an answer is outstanding', async (t) => {
    const late = Promise.withResolvers<boolean>()
    const { turn, heard, answers } = listener(t)
    answers.push(late.promise)
    await turn()
    assert.deepEqual(heard, [])
    await turn()
    assert.deepEqual(heard, ['forget'])
    late.resolve(false)
    await new Promise((resolve) => setImmediate(resolve))
    await turn()
    assert.deepEqual(heard, ['forget'])
  })

  test('asks no more once it was stopped', async (t) => {
    const { turn, heard, answers, stop } = listener(t)
    stop()
    answers.push(true)
    await turn()
    assert.deepEqual(heard, [])
  })
})

/** Listens to a store that gives `answers` in their order, then «nothing». `turn` lets the time of one turn pass. */
function listener(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const answers: (boolean | Error | Promise<boolean>)[] = []
  const heard: string[] = []
  const store = {
    changedElsewhere: async () => {
      const answer = await (answers.shift() ?? false)
      if (answer instanceof Error) throw answer
      return answer
    },
  }
  const stop = hearOthers(store as Store, {
    everyMs: 100,
    forget: () => heard.push('forget'),
    reload: async () => void heard.push('reload'),
    onError: (error) => heard.push((error as Error).message),
  })
  const turn = async (): Promise<void> => {
    t.mock.timers.tick(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { turn, heard, answers, stop }
}
