import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTally, type TestEvent } from '../../tools/test-tally.ts'

const file = '/repo/test/a.test.ts'

function event(
  name: string,
  rest: Partial<TestEvent> & { passed?: boolean; type?: string; error?: unknown },
) {
  const { passed = true, type = 'test', error, ...others } = rest
  return { name, file, nesting: 0, ...others, details: { type, passed, duration_ms: 10, error } }
}

function failure(failureType: string): Error {
  return Object.assign(new Error('test failed', { cause: new Error('one is not two') }), { failureType })
}

function tallyOf(...events: readonly TestEvent[]) {
  const tally = createTally((path) => path.replace('/repo/', ''))
  for (const each of events) tally.enqueued(each)
  const lines = events.map((each) => tally.completed(each))
  return { tally, lines, last: tally.report().at(-1) }
}

describe('createTally', () => {
  test('counts tests and neither suites nor files', () => {
    const { last, tally } = tallyOf(event('adds', {}), event('sums', { type: 'suite' }), event(file, {}))
    assert.equal(last, '1 passed, 0 failed, 0 skipped')
    assert.equal(tally.failed(), false)
  })

  test('counts a test of a shared suite for the file that ran it', () => {
    const shared = { file: '/repo/test/shared.ts', entryFile: file }
    const { lines, last } = tallyOf(event('adds', shared), event(file, {}))
    assert.match(String(lines[1]), /^ok +test\/a\.test\.ts \(1 passed/)
    assert.equal(last, '1 passed, 0 failed, 0 skipped')
  })

  test('counts a failure once, where it happened, and shows its cause', () => {
    const { last, tally } = tallyOf(
      event('adds', { passed: false, error: failure('testCodeFailure') }),
      event('sums', { type: 'suite', passed: false, error: failure('subtestsFailed') }),
      event(file, { passed: false, error: failure('subtestsFailed') }),
    )
    assert.equal(last, '0 passed, 1 failed, 0 skipped')
    assert.equal(tally.failed(), true)
    assert.match(tally.report().join('\n'), /failed test\/a\.test\.ts: adds\n +Error: one is not two/)
  })

  test('counts a hook that fails', () => {
    const { last } = tallyOf(
      event('adds', {}),
      event('sums', { type: 'suite', passed: false, error: failure('hookFailed') }),
      event(file, { passed: false, error: failure('subtestsFailed') }),
    )
    assert.equal(last, '1 passed, 1 failed, 0 skipped')
  })

  test('names what was skipped, with the reason', () => {
    const { tally, last } = tallyOf(event('adds', { skip: 'no database here' }), event(file, {}))
    assert.equal(last, '0 passed, 0 failed, 1 skipped')
    assert.ok(tally.report().includes('skipped test/a.test.ts: adds: no database here'))
  })

  test('fails a file that does not load', () => {
    const { last, lines } = tallyOf(event(file, { passed: false, error: failure('testCodeFailure') }))
    assert.equal(last, '0 passed, 1 failed, 0 skipped')
    assert.match(lines[0] ?? '', /^failed test\/a\.test\.ts /)
  })

  test('fails a file without a test, which would otherwise look like one that passes', () => {
    assert.equal(tallyOf(event(file, {})).last, '0 passed, 1 failed, 0 skipped')
  })

  test('fails a test that began and never ended, even when its process exits with 0', () => {
    const tally = createTally((path) => path)
    tally.enqueued(event('adds', {}))
    tally.enqueued(event('hangs', {}))
    tally.completed(event('adds', {}))
    tally.completed(event(file, {}))
    assert.equal(tally.report().at(-1), '1 passed, 1 failed, 0 skipped')
    assert.match(tally.report().join('\n'), /hangs\n +began and never ended/)
  })

  test('names a failure with the suites around it, and keeps apart tests of one name', () => {
    const suites = ['keys', 'clients'].map((name, at) =>
      event(name, { type: 'suite', testId: at + 1, parentId: 0 }),
    )
    const fine = event('are stored', { testId: 3, parentId: 1 })
    const broken = event('are stored', {
      testId: 4,
      parentId: 2,
      passed: false,
      error: failure('testCodeFailure'),
    })
    const { tally } = tallyOf(...suites, fine, broken, event(file, {}))
    assert.match(tally.report().join('\n'), /failed test\/a\.test\.ts: clients: are stored\n/)
    assert.equal(tally.report().at(-1), '1 passed, 1 failed, 0 skipped')
  })
})
