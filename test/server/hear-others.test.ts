import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { CacheChange } from '../../src/domain/changes.ts'
import type { CacheChangeRecord, ChangeListener, Store } from '../../src/domain/store.ts'
import { type Bus, hearOthers, latestChange } from '../../src/server/hear-others.ts'
import { Trust } from '../../src/verify/trust.ts'

describe('hearOthers', () => {
  test('applies what was committed since the last time, once, when it is told of a commit', async (t) => {
    const node = await listening(t)
    node.change(7, { kind: 'key', value: 'a' })
    await node.commit()
    assert.deepEqual(node.heard, ['key a'])
    node.change(9, { kind: 'user', value: '4' })
    await node.commit()
    assert.deepEqual(node.heard, ['key a', 'user 4'])
  })

  test('forgets what it is told with a commit before anything is read', async (t) => {
    const node = await listening(t)
    const late = Promise.withResolvers<void>()
    node.hold = late.promise
    node.change(7, { kind: 'key', value: 'a' })
    await node.commit([{ kind: 'key', value: 'a' }])
    assert.deepEqual(node.heard, ['key a'])
    late.resolve()
    await node.settled()
    assert.deepEqual(node.heard, ['key a', 'key a'])
  })

  test('asks twice when it hears of a commit: what has changed, and whether that was all', async (t) => {
    const node = await listening(t)
    const before = node.asked()
    node.change(7, { kind: 'key', value: 'a' })
    await node.commit()
    assert.equal(node.asked() - before, 2)
  })

  test('applies at a heartbeat what nobody told of', async (t) => {
    const node = await listening(t)
    node.change(7, { kind: 'key', value: 'a' })
    await node.beat()
    assert.deepEqual(node.heard, ['key a'])
  })

  test('does nothing about what was committed before it began, and about a commit without changes', async (t) => {
    const node = await listening(t)
    await node.commit()
    await node.beat()
    assert.deepEqual(node.heard, [])
  })

  test('reads the settings again when one has changed', async (t) => {
    const node = await listening(t)
    node.change(7, { kind: 'settings', value: '' })
    await node.commit()
    assert.deepEqual(node.heard, ['settings ', 'reload'])
  })

  // What an attacker would gain: a key revoked while a server was cut off, whose revocation is no longer kept.
  test('forgets everything when it missed changes that are no longer kept', async (t) => {
    const node = await listening(t)
    node.rows.length = 0
    node.change(70, { kind: 'key', value: 'z' })
    await node.beat()
    assert.deepEqual(node.heard, ['all', 'reload', 'key z'])
    node.heard.length = 0
    node.change(71, { kind: 'key', value: 'y' })
    await node.beat()
    assert.deepEqual(node.heard, ['key y'])
  })

  test('trust is renewed by every reading, and lapses without', async (t) => {
    const node = await listening(t)
    node.pass(1900)
    await node.beat()
    node.pass(1900)
    assert.equal(node.trust.holds(), true)
    node.failure = new Error('no answer')
    await node.beat()
    node.pass(100)
    assert.equal(node.trust.holds(), false)
  })

  test('a reading that fails is tried again, and told of once', async (t) => {
    const node = await listening(t)
    node.change(7, { kind: 'key', value: 'a' })
    node.failure = new Error('no answer')
    await node.commit()
    await node.beat()
    assert.deepEqual(node.heard, ['no answer'])
    node.failure = undefined
    await node.beat()
    assert.deepEqual(node.heard, ['no answer', 'key a'])
  })

  // A database that is back must not find the keys refused until the next heartbeat.
  test('a reading that fails is tried again soon, then seldomer, up to the heartbeat', async (t) => {
    const node = await listening(t)
    node.failure = new Error('no answer')
    const waits: number[] = []
    for (let time = 0; time < 6; time += 1) {
      await node.beat()
      waits.push(node.waitMs())
    }
    assert.deepEqual(waits, [50, 100, 200, 400, 500, 500])
    node.failure = undefined
    await node.beat()
    assert.equal(node.waitMs(), 500)
    node.failure = new Error('no answer')
    await node.beat()
    assert.equal(node.waitMs(), 50)
  })

  test('settings that cannot be read again leave the change for the next time', async (t) => {
    const node = await listening(t)
    node.change(7, { kind: 'settings', value: '' })
    node.reloadFailure = new Error('no settings')
    await node.commit()
    node.reloadFailure = undefined
    node.heard.length = 0
    await node.beat()
    assert.deepEqual(node.heard, ['settings ', 'reload'])
  })

  test('catching up reads at once, once for all who ask, and trust holds again', async (t) => {
    const node = await listening(t)
    node.pass(5000)
    assert.equal(node.trust.holds(), false)
    node.change(7, { kind: 'key', value: 'a' })
    const before = node.asked()
    await Promise.all(Array.from({ length: 50 }, () => node.bus.catchUp()))
    assert.deepEqual(node.heard, ['key a'])
    assert.equal(node.trust.holds(), true)
    assert.ok(node.asked() - before <= 4, `${node.asked() - before} questions`)
  })

  test('catching up does not rest on a reading that began before', async (t) => {
    const node = await listening(t)
    const late = Promise.withResolvers<void>()
    node.hold = late.promise
    const first = node.bus.catchUp()
    node.hold = undefined
    node.change(7, { kind: 'key', value: 'a' })
    const second = node.bus.catchUp()
    late.resolve()
    await Promise.all([first, second])
    assert.deepEqual(node.heard, ['key a'])
  })

  test('catching up rejects at once while the store is known not to answer', async (t) => {
    const node = await listening(t)
    node.failure = new Error('no answer')
    await node.beat()
    const before = node.asked()
    await assert.rejects(node.bus.catchUp(), /no answer/)
    assert.equal(node.asked(), before)
  })

  test('hears nothing more once it is closed', async (t) => {
    const node = await listening(t)
    await node.bus.close()
    node.change(7, { kind: 'key', value: 'a' })
    await node.commit()
    await node.beat()
    assert.deepEqual(node.heard, [])
    assert.equal(node.isWatched(), false)
  })
})

interface Node {
  readonly bus: Bus
  readonly trust: Trust
  readonly heard: string[]
  readonly rows: CacheChangeRecord[]
  /** Makes every reading fail, or each reload of the settings. */
  failure: Error | undefined
  reloadFailure: Error | undefined
  /** What a reading waits for, after it has seen what is there. */
  hold: Promise<void> | undefined
  change(sequence: number, change: CacheChange): void
  /** Tells of a commit, and of what was changed by it. */
  commit(changes?: readonly CacheChange[]): Promise<void>
  beat(): Promise<void>
  pass(ms: number): void
  asked(): number
  /** How long it is until the next reading. */
  waitMs(): number
  settled(): Promise<void>
  isWatched(): boolean
}

/** A node on a store that holds one change, number 5, which it knows of. */
async function listening(t: TestContext): Promise<Node> {
  const clocks = { steady: 0, wall: 0 }
  const trust = new Trust(
    () => 2000,
    () => ({ ...clocks }),
  )
  const rows: CacheChangeRecord[] = []
  const heard: string[] = []
  let listener: ChangeListener | undefined
  let beat = (): void => {}
  let asked = 0
  let waitMs = 0
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  const changes: Pick<Store['changes'], 'listAfter' | 'kept'> = {
    async listAfter(sequence) {
      asked += 1
      if (node.failure) throw node.failure
      const found = rows.filter((row) => row.sequence > sequence)
      await node.hold
      return found
    },
    async kept() {
      asked += 1
      const all = rows.map(({ sequence }) => sequence)
      return { oldest: Math.min(...all), newest: Math.max(...all) }
    },
  }
  const watch: Store['watch'] = async (given) => {
    listener = given as ChangeListener
    return async () => {
      listener = undefined
    }
  }
  const store = { changes, watch } as unknown as Store
  const node: Omit<Node, 'bus'> & { bus?: Bus } = {
    trust,
    heard,
    rows,
    failure: undefined,
    reloadFailure: undefined,
    hold: undefined,
    change: (sequence, change) => void rows.push({ sequence, at: 0, origin: 'other', ...change }),
    async commit(changes) {
      listener?.onCommit(changes)
      await settled()
    },
    async beat() {
      beat()
      await settled()
    },
    pass(ms) {
      clocks.steady += ms
      clocks.wall += ms
    },
    asked: () => asked,
    waitMs: () => waitMs,
    settled,
    isWatched: () => listener !== undefined,
  }
  node.change(5, { kind: 'key', value: 'before' })
  const bus = await hearOthers(store, await latestChange(store, trust), {
    trust,
    heartbeatMs: () => 500,
    timers: {
      after: (delay, work) => {
        beat = work
        waitMs = delay
        return () => {}
      },
    },
    forget: ({ kind, value }) => heard.push(`${kind} ${value}`),
    forgetAll: () => heard.push('all'),
    reloadSettings: async () => {
      if (node.reloadFailure) throw node.reloadFailure
      heard.push('reload')
    },
    onError: (error) => heard.push((error as Error).message),
  })
  t.after(() => bus.close())
  await settled()
  return Object.assign(node, { bus })
}
