import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { readServeOptions } from '../../src/cli/serve-options.ts'

describe('readServeOptions', () => {
  test('serves the forum, unless told otherwise', () => {
    assert.equal(readServeOptions({}, {}).forum, true)
    assert.equal(readServeOptions({ forum: false }, {}).forum, false)
  })

  test('trusts no proxy by default', () => {
    assert.deepEqual(readServeOptions({}, {}).trustedProxies, [])
  })

  test('takes proxies from the variable, separated by commas, and from flags rather', () => {
    const environment = { HALLPASS_TRUSTED_PROXIES: '10.0.0.0/8, 2001:db8::1,' }
    assert.deepEqual(readServeOptions({}, environment).trustedProxies, ['10.0.0.0/8', '2001:db8::1'])
    const flags = { trustedProxy: ['127.0.0.1', '::1'] }
    assert.deepEqual(readServeOptions(flags, environment).trustedProxies, ['127.0.0.1', '::1'])
  })

  for (const range of ['nope', '10.0.0.0/33', '10.0.0.0/', 'proxy.example.com']) {
    test(`refuses ${range} as a proxy, and names where it came from`, () => {
      const refused = { reason: 'configuration_invalid', message: /^--trusted-proxy cannot be/ }
      assert.throws(() => readServeOptions({ trustedProxy: [range] }, {}), refused)
    })
  }

  for (const [host, upstream] of [
    ['127.0.0.1', 'http://127.0.0.1:4000'],
    ['127.0.0.1', 'http://localhost:4000/'],
    ['0.0.0.0', 'http://127.0.0.1:4000'],
    ['::', 'http://[::1]:4000'],
    ['app.example', 'http://app.example:4000'],
  ] as const) {
    test(`refuses to stand in front of itself: ${upstream} on ${host}`, () => {
      const refused = { reason: 'configuration_invalid', message: /itself/ }
      assert.throws(() => readServeOptions({ host, upstream }, {}), refused)
      assert.throws(() => readServeOptions({ host }, {}, { upstream }), refused)
      assert.equal(readServeOptions({ host, upstream, port: '4001' }, {}).upstream, upstream)
    })
  }

  test('refuses to require a sign-in where there is no application behind it', () => {
    const refused = { reason: 'configuration_invalid', message: /gateway/ }
    assert.throws(() => readServeOptions({ requireSignIn: true }, {}), refused)
    assert.throws(() => readServeOptions({}, {}, { requireSignIn: true }), refused)
    const upstream = 'http://127.0.0.1:3000'
    assert.equal(readServeOptions({ requireSignIn: true, upstream }, {}).requireSignIn, true)
  })

  const values: readonly [value: string | undefined, expected: boolean][] = [
    [undefined, false],
    ['', false],
    ['0', false],
    ['1', true],
  ]
  for (const [value, expected] of values) {
    test(`${expected ? 'lets' : 'does not let'} pushes go to private addresses with ${value ?? 'nothing'}`, () => {
      const { allowPrivatePush } = readServeOptions({}, { HALLPASS_ALLOW_PRIVATE_PUSH: value })
      assert.equal(allowPrivatePush, expected)
    })
  }

  test('keeps as many connections to PostgreSQL as are asked for', () => {
    assert.equal(readServeOptions({}, {}).databasePool, undefined)
    assert.equal(readServeOptions({}, { HALLPASS_DATABASE_POOL: '4' }, { databasePool: 5 }).databasePool, 4)
    assert.equal(readServeOptions({}, {}, { databasePool: 5 }).databasePool, 5)
    for (const pool of ['1', '1001', 'many']) {
      const refused = { reason: 'configuration_invalid', message: /^HALLPASS_DATABASE_POOL cannot be/ }
      assert.throws(() => readServeOptions({}, { HALLPASS_DATABASE_POOL: pool }), refused)
    }
  })

  test('runs one process by default, and as many as are asked for', () => {
    assert.equal(readServeOptions({}, {}).workers, 1)
    assert.equal(readServeOptions({ workers: '3' }, { HALLPASS_WORKERS: '2' }).workers, 3)
    assert.equal(readServeOptions({}, { HALLPASS_WORKERS: 'auto' }).workers, availableParallelism())
    assert.equal(readServeOptions({}, {}, { workers: 'auto' }).workers, availableParallelism())
    for (const workers of ['0', '257', '-1', 'many', '1.5']) {
      const refused = { reason: 'configuration_invalid', message: /^--workers cannot be/ }
      assert.throws(() => readServeOptions({ workers }, {}), refused)
    }
  })

  test('refuses what is no address of Redis, without repeating what may hold a password', () => {
    assert.equal(readServeOptions({}, {}).redis, undefined)
    const url = 'rediss://user:secret@redis.example.com:6380/2'
    assert.equal(readServeOptions({}, { REDIS_URL: url }).redis, url)
    const refused = (error: unknown): boolean => {
      assert.match(String(error), /REDIS_URL cannot be/)
      return !String(error).includes('secret')
    }
    assert.throws(() => readServeOptions({}, { REDIS_URL: 'http://user:secret@example.com' }), refused)
    assert.throws(() => readServeOptions({}, { REDIS_URL: 'redis://user:secret@example.com/x' }), refused)
  })

  test('takes a flag before its variable, that before the config file, and that before the default', () => {
    const file = { port: 1, host: 'file', data: 'file', baseUrl: 'https://file.example', forum: false }
    assert.equal(readServeOptions({}, {}).port, 4000)
    assert.equal(readServeOptions({}, {}, file).port, 1)
    assert.equal(readServeOptions({}, { HALLPASS_PORT: '2' }, file).port, 2)
    assert.equal(readServeOptions({ port: '3' }, { HALLPASS_PORT: '2' }, file).port, 3)
    const { host, data, baseUrl, forum } = readServeOptions(
      { data: 'flag' },
      { HALLPASS_HOST: 'variable' },
      file,
    )
    assert.deepEqual([host, data, baseUrl, forum], ['variable', 'flag', 'https://file.example', false])
  })

  test('a variable that says no is stronger than a config file that says yes', () => {
    const file = { allowPrivatePush: true, trustedProxies: ['10.0.0.0/8'] }
    assert.equal(readServeOptions({}, {}, file).allowPrivatePush, true)
    const environment = { HALLPASS_ALLOW_PRIVATE_PUSH: '0', HALLPASS_TRUSTED_PROXIES: '127.0.0.1' }
    const options = readServeOptions({}, environment, file)
    assert.deepEqual([options.allowPrivatePush, options.trustedProxies], [false, ['127.0.0.1']])
  })

  test('pins settings in the wire’s text form', () => {
    const settings = { cors_origins: ['https://a.example', 'https://b.example'], enable_cors: true }
    assert.deepEqual(readServeOptions({}, {}, { settings }).pinnedSettings, {
      cors_origins: 'https://a.example|https://b.example',
      enable_cors: 'true',
    })
  })

  test('has the forum as its site unless there is an upstream', () => {
    assert.deepEqual([readServeOptions({}, {}).forum, readServeOptions({}, {}).upstream], [true, undefined])
    const { forum, upstream } = readServeOptions({}, { HALLPASS_UPSTREAM: 'http://127.0.0.1:3000' })
    assert.deepEqual([forum, upstream], [false, 'http://127.0.0.1:3000'])
  })

  // What is meant as «no» must not be read as «yes», nor the other way round.
  test('takes nothing but 0 and 1 for whether pushes may go to private addresses', () => {
    const refused = { reason: 'configuration_invalid', message: /^HALLPASS_ALLOW_PRIVATE_PUSH cannot be/ }
    for (const value of ['true', 'no', '2', ' 1']) {
      assert.throws(() => readServeOptions({}, { HALLPASS_ALLOW_PRIVATE_PUSH: value }), refused)
    }
  })
})
