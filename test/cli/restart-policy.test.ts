import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decideRestart } from '../../src/cli/restart-policy.ts'

describe('decideRestart', () => {
  test('starts a worker at once that had answered for a while', () => {
    const restart = decideRestart({ inARow: 0, workers: 4, othersAnswer: true })
    assert.deepEqual(restart, { outcome: 'again', afterMs: 0 })
  })

  test('waits longer for each that ends at once, and ten seconds at the most', () => {
    const delays = [1, 2, 3, 20].map((inARow) => decideRestart({ inARow, workers: 1, othersAnswer: true }))
    assert.deepEqual(
      delays,
      [100, 200, 400, 10_000].map((afterMs) => ({ outcome: 'again', afterMs })),
    )
  })

  test('gives up when none answers and they end again and again', () => {
    const restart = decideRestart({ inARow: 6, workers: 2, othersAnswer: false })
    assert.deepEqual(restart, { outcome: 'give_up' })
  })
})
