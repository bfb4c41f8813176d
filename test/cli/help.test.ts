import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newTypist, type Typist } from './command.ts'

let typist: Typist
before(async () => {
  typist = await newTypist()
})
after(() => typist.leave())

describe('hallpass --help', () => {
  test('lists every command, shows examples, and explains the exit status', async () => {
    const { status, stdout, stderr } = await typist.run(['--help'])
    assert.deepEqual([status, stderr], [0, ''])
    for (const command of [
      'serve',
      'login',
      'call',
      'whoami',
      'sites',
      'logout',
      'audit',
      'jobs',
      'scopes',
      'conformance',
      'migrate',
      'store',
    ]) {
      assert.match(stdout, new RegExp(`^  ${command}\\b`, 'm'))
    }
    assert.match(stdout, /\nexamples:\n {2}hallpass serve/)
    assert.match(stdout, /exit status: 0 done, 1 refused or failed, 2 not understood\n$/)
    assert.ok(
      stdout.split('\n').every((line) => line.length <= 110),
      'fits a terminal',
    )
  })

  for (const command of [
    'serve',
    'login',
    'call',
    'audit',
    'jobs',
    'scopes',
    'conformance',
    'migrate',
    'store',
  ]) {
    test(`${command} --help shows examples`, async () => {
      const { status, stdout } = await typist.run([command, '--help'])
      assert.equal(status, 0)
      assert.match(stdout, new RegExp(`\\nexamples:\\n {2}hallpass ${command}\\b`))
    })
  }

  test('a word that is no command is answered with the nearest, and exit status 2', async () => {
    assert.deepEqual(await typist.run(['logn']), {
      status: 2,
      stdout: '',
      stderr: `error: unknown command 'logn'
(Did you mean login?)
(add --help for how it is meant)
`,
    })
  })

  test('no command at all prints the help, and is not understood', async () => {
    const { status, stdout, stderr } = await typist.run([])
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(stderr, /^usage: hallpass /)
  })

  for (const options of [
    ['login', 'x', '--expires-in', '3 moons'],
    ['login', 'x', '--expires-in', '0d'],
    ['login', 'x', '--scopes', ','],
    ['login', 'x', '--padding', 'none'],
    ['sites', 'x'],
  ]) {
    test(`does not understand ${options.join(' ')}`, async () => {
      const { status, stderr } = await typist.run(options)
      assert.equal(status, 2)
      assert.match(stderr, /^error: /)
    })
  }
})
