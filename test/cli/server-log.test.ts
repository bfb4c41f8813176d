import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withoutSecrets } from '../../src/cli/redact.ts'
import { type LogFormat, type LogLevel, openServerLog, type ServerLog } from '../../src/cli/server-log.ts'
import { Trace } from '../../src/domain/trace.ts'
import { refusal } from '../../src/protocol/errors.ts'

function open(level: LogLevel, format: LogFormat): { log: ServerLog; written: () => Promise<string> } {
  let text = ''
  const to = {
    isTTY: false,
    write(chunk: unknown) {
      text += String(chunk)
      return true
    },
  }
  const log = openServerLog({ level, format, to })
  return {
    log,
    async written() {
      await log.flush()
      return text
    },
  }
}

const trace = new Trace({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  parentId: 'b7ad6b7169203331',
  flags: 1,
})
const request = {
  method: 'GET',
  route: 'session/current',
  status: 200,
  durationMs: 1.23456,
  trace,
  address: '192.0.2.1',
}
const refused = { refusal: refusal('not_found', { what: 'such page' }), method: 'GET', trace, address: null }
const limited = {
  ...refused,
  refusal: refusal('rate_limited', {
    limit: 'max_reqs_per_ip_per_minute',
    wait_seconds: 1,
    time_left: '1 second',
  }),
}
const unavailable = { ...refused, refusal: refusal('store_unavailable', { wait_seconds: 1 }) }

describe('the level', () => {
  const wanted: readonly (readonly [LogLevel, string[]])[] = [
    ['debug', ['x', 'limits_not_shared', 'request', 'refused', 'refused', 'refused', 'w', 'fault']],
    ['info', ['x', 'limits_not_shared', 'refused', 'w', 'fault']],
    ['warn', ['limits_not_shared', 'w', 'fault']],
    ['error', ['fault']],
  ]
  for (const [level, events] of wanted) {
    test(`${level} has ${events.join(', ')}`, async () => {
      const { log, written } = open(level, 'json')
      log.log({ event: 'x' })
      log.log({ event: 'limits_not_shared' })
      log.observer.answered(request)
      log.observer.refused(refused)
      log.observer.refused(limited)
      log.observer.refused(unavailable)
      log.warn('w', 'careful')
      log.fault(new Error('broken'), trace.id)
      const lines = (await written())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      assert.deepEqual(
        lines.map(({ event }) => event),
        events,
      )
      assert.equal(log.observer.isOn, level === 'debug')
    })
  }
})

describe('a line', () => {
  test('of a request has its facts', async () => {
    const { log, written } = open('debug', 'json')
    log.observer.answered(request)
    const { time: _time, pid: _pid, ...facts } = JSON.parse(await written())
    assert.deepEqual(facts, {
      level: 'debug',
      event: 'request',
      method: 'GET',
      route: 'session/current',
      status: 200,
      duration_ms: 1.235,
      trace_id: trace.id,
      address: '192.0.2.1',
    })
  })

  test('of a fault has the trace, or else the part that met it', async () => {
    const { log, written } = open('info', 'json')
    log.fault(new Error('one'), trace.id)
    log.fault('two', 'job tidy')
    const [one, two] = (await written())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual([one.trace_id, one.error.message], [trace.id, 'one'])
    assert.deepEqual([two.where, two.error.message], ['job tidy', 'two'])
  })

  // What an attacker would gain: a line that says somebody else did it, or a terminal that obeys.
  for (const format of ['json', 'text'] as const) {
    test(`as ${format} cannot be begun by what a caller sends, nor hold what a terminal obeys`, async () => {
      const { log, written } = open('info', format)
      const hostile = 'x\n{"level":"error","event":"forged"}\r\u001b[2J\u009b31m\u2028\u2029\u202e\u0000y'
      log.log({ event: 'device_auth', application_name: hostile })
      const text = await written()
      assert.equal(text.indexOf('\n'), text.length - 1)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/)
      if (format === 'json') assert.equal(JSON.parse(text).application_name, hostile)
    })
  }
})

describe('withoutSecrets', () => {
  const cases = {
    'cannot reach postgres://hallpass:hunter2@db.example/hallpass': ['hunter2'],
    'redis://:swordfish@127.0.0.1:6379 closed': ['swordfish'],
    'push 3 to https://push.example/a?token=tiny-1&x=2, try 1': ['tiny-1'],
    [`no key ${'ab12'.repeat(8)} there`]: ['ab12'.repeat(8)],
    [`payload ${Buffer.from('x'.repeat(60)).toString('base64url')} refused`]: [
      Buffer.from('x'.repeat(60)).toString('base64url'),
    ],
    '{"password":"short","user_code":"ABCD-EFGH"}': ['short', 'ABCD-EFGH'],
    'Authorization: Bearer abc123': ['abc123'],
    'cookie: _t=s3ssion': ['s3ssion'],
  }
  for (const [text, secrets] of Object.entries(cases)) {
    test(`leaves out what is secret in «${text.slice(0, 40)}»`, () => {
      for (const secret of secrets) assert.ok(!withoutSecrets(text).includes(secret), withoutSecrets(text))
    })
  }

  test('leaves what is none', () => {
    const stack =
      'TypeError: no such thing\n    at processTicksAndRejections (node:internal/process/task_queues:104:5)'
    assert.equal(withoutSecrets(stack), stack)
    const push = 'push 3 to https://push.example/hook, try 1: 500. next try in 30 s'
    assert.equal(withoutSecrets(push), push)
  })
})
