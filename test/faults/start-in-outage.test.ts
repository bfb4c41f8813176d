/** A node that is started while PostgreSQL or Redis is away. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../eventually.ts'
import { freshPostgresUrl } from '../fresh-postgres.ts'
import { redisServer, startRedis } from '../redis-server.ts'
import { startCommand } from '../running-command.ts'
import { startPostgres } from '../running-postgres.ts'
import { freePort, hallpassCommand, startServer } from '../running-server.ts'
import { ask } from './two-node-site.ts'

const skip = process.platform === 'linux' ? false : 'needs Linux, for its /proc'

describe('a node is started', { skip }, () => {
  for (const workers of ['1', '2']) {
    const flags = ['--workers', workers]

    test(`while nothing listens where PostgreSQL should: it ends with 1 and says so (--workers ${workers})`, async () => {
      const url = `postgres://hallpass:secret-word@127.0.0.1:${await freePort()}/hallpass`
      const { status, stderr, stdout } = await start(url, flags)
      assert.equal(status, 1)
      assert.match(
        stderr,
        /error: the database postgres:\/\/hallpass@127\.0\.0\.1:\d+\/hallpass cannot be reached/,
      )
      assert.match(stderr, /\nfix: start the server, .*\nreason: database_unreachable\n/)
      assert.doesNotMatch(stderr + stdout, /secret-word|\n +at /)
    })
  }

  test('while PostgreSQL stands still: it ends with 1 within ten seconds or so, and says so', async (t) => {
    const postgres = await startPostgres()
    t.after(() => postgres.stop())
    postgres.freeze()
    const since = performance.now()
    const { status, stderr } = await start(postgres.url, [])
    assert.equal(status, 1)
    assert.match(stderr, /reason: database_unreachable\n/)
    assert.ok(performance.now() - since < 20_000)
  })

  test('while Redis is away: it starts, counts alone, says so, and shares once Redis is there', {
    skip: redisServer.skip,
  }, async (t) => {
    const redis = await startRedis(t)
    await redis.kill()
    const server = await startServer({
      env: { DATABASE_URL: await freshPostgresUrl(), REDIS_URL: redis.url },
    })
    t.after(() => server.stop())
    const shared = async () => JSON.parse((await ask(server, '/readyz')).body).limits.shared
    assert.equal(await shared(), false)
    assert.match(server.output(), /"event":"limits_not_shared","through":"redis","cause":"[^"]*ECONNREFUSED/)
    await redis.start()
    await eventually(shared, Boolean, 10_000)
  })
})

function start(url: string, flags: readonly string[]) {
  const env = { ...process.env, DATABASE_URL: url, HALLPASS_PORT: '0', NO_COLOR: '1' }
  return startCommand(process.execPath, [hallpassCommand, 'serve', ...flags], env).ended
}
