import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { greeting } from '../../src/cli/greeting.ts'
import { readServeOptions } from '../../src/cli/serve-options.ts'
import { eventually } from '../eventually.ts'
import { freePort, startServer } from '../running-server.ts'

function limitsSaid(environment: Record<string, string>, limitsShared: boolean): string | undefined {
  const options = readServeOptions({}, environment)
  const said = greeting('http://127.0.0.1:1', options, {
    location: 'there',
    first: undefined,
    metrics: undefined,
    limitsShared,
  })
  return /^ {2}limits +(.+)$/m.exec(said)?.[1]
}

describe('the greeting', () => {
  const database = 'postgres://127.0.0.1/x'
  const redis = 'redis://127.0.0.1'

  test('says who counts limits together, and never that others do while they do not', () => {
    assert.equal(limitsSaid({}, false), undefined)
    assert.match(limitsSaid({ DATABASE_URL: database }, false) ?? '', /^counted by this process alone/)
    assert.match(limitsSaid({ HALLPASS_WORKERS: '2' }, true) ?? '', /^counted by these workers together/)
    assert.match(limitsSaid({ REDIS_URL: redis }, true) ?? '', /^counted with all nodes/)
    assert.match(limitsSaid({ REDIS_URL: redis }, false) ?? '', /^NOT counted with other nodes/)
  })

  test('says that a folder in a flag is stronger than a database in the environment', () => {
    const options = readServeOptions({ data: './here' }, { DATABASE_URL: database })
    const started = { location: './here', first: undefined, metrics: undefined, limitsShared: false }
    // Its database has one already, of whatever name.
    assert.doesNotMatch(greeting('', options, started), /administrator/)
    assert.match(greeting('', options, started), /data +\.\/here +\(DATABASE_URL is passed over\)/)
    assert.doesNotMatch(greeting('', readServeOptions({ data: './here' }, {}), started), /passed over/)
  })

  for (const workers of ['1', '2']) {
    test(`and the log are loud where Redis is not there, with ${workers} process(es)`, async (t) => {
      const url = `redis://127.0.0.1:${await freePort()}`
      const flags = ['--redis', url, '--log-level', 'warn', '--workers', workers]
      const server = await startServer({ flags })
      t.after(() => server.stop())
      assert.match(server.output(), /limits +NOT counted with other nodes/)
      await eventually(() =>
        /"level":"warn".*"event":"limits_not_shared".*"cause":".*ECONNREFUSED/.test(server.output()),
      )
    })
  }
})
