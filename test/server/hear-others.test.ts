import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Store } from '../../src/domain/store.ts'
import { hearOthers } from '../../src/server/hear-others.ts'

describe('hearOthers', () => {
  test('forgets, and reads again, when others have changed something', async (t) => {
    const { listener, heard, turn } = listen(t)
    await turn()
    // What was committed before others could be heard.
    assert.deepEqual(heard, ['forget', 'reload'])
    heard.length = 0
    await turn()
    assert.deepEqual(heard, [])
    listener().onCommit()
    await turn()
    assert.deepEqual(heard, ['forget', 'reload'])
  })

  // What an attacker would gain: a revoked key that goes on working for as long as the database is out of reach.
  test('keeps nothing while others cannot be heard, tells of it once, and reads again when they can', async (t) => {
    const { listener, heard, turn, answers } = listen(t)
    await turn()
    heard.length = 0
    listener().onLost(new Error('no answer'))
    assert.deepEqual(heard, ['forget', 'no answer'])
    heard.length = 0
    answers.push(new Error('no answer'))
    await turn()
    assert.deepEqual(heard, ['forget', 'reload', 'forget'])
    heard.length = 0
    await turn()
    await turn()
    assert.deepEqual(heard, ['forget', 'reload'])
  })

  test('hears no more once it was stopped', async (t) => {
    const { listener, heard, stop, turn } = listen(t)
    await turn()
    heard.length = 0
    stop()
    listener().onCommit()
    listener().onLost(new Error('no answer'))
    await turn()
    assert.deepEqual(heard, ['stopped'])
  })
})

/** Listens to a store that does what `listener()` is told. `turn` lets the time of one turn pass. */
function listen(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const heard: string[] = []
  const answers: Error[] = []
  let given: Parameters<Store['watch']>[0] | undefined
  const watch: Store['watch'] = async (listener) => {
    given = listener
    return async () => void heard.push('stopped')
  }
  const stop = hearOthers({ watch } as Store, {
    everyMs: 100,
    forget: () => heard.push('forget'),
    reload: async () => {
      heard.push('reload')
      const answer = answers.shift()
      if (answer) throw answer
    },
    onError: (error) => heard.push((error as Error).message),
  })
  const turn = async (): Promise<void> => {
    t.mock.timers.tick(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { listener: () => given ?? assert.fail('nobody listens'), heard, answers, turn, stop }
}
