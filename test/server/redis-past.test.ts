import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RedisPast } from '../../src/server/redis-past.ts'

const hour = 3_600_000

function past() {
  const asked: string[] = []
  const answers: (() => void)[] = []
  const written = new RedisPast('p', ([name = '']) => {
    asked.push(name)
    return new Promise((resolve) => answers.push(() => resolve('OK')))
  })
  const letIn = (id: string): void =>
    written.add({ at: 0, letIn: [{ limit: 'l', windowMs: hour, callers: [[id, 1]] }] }, 0)
  return { written, asked, answers, letIn }
}

// What would be lost: memory of Redis, for ever, each time that the connection ended between the two.
test('a count and its end are written both or neither', async () => {
  const { written, asked, answers, letIn } = past()
  letIn('a')
  const done = written.write(true)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(asked, ['MULTI', 'HINCRBY', 'PEXPIRE', 'EXEC'])
  for (const answer of answers) answer()
  await done
})

test('what is added while counts are written waits, and a last writing has it', async () => {
  const { written, asked, answers, letIn } = past()
  letIn('a')
  const first = written.write(true)
  await new Promise((resolve) => setImmediate(resolve))
  letIn('b')
  await written.write()
  assert.equal(asked.length, 4)
  const last = written.write(true)
  for (const answer of answers.splice(0)) answer()
  await first
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(asked.length, 8)
  for (const answer of answers) answer()
  await last
})
