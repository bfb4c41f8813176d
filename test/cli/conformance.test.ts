import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Report } from '../../conformance/report.ts'
import { type RunningServer, startServer } from '../running-server.ts'
import { newTypist, type Typist } from './command.ts'

let typist: Typist
let server: RunningServer
before(async () => {
  server = await startServer()
  typist = await newTypist()
})
after(async () => {
  await typist.leave()
  await server.stop()
})

function asAdministrator(...options: readonly string[]): readonly string[] {
  const given = ['--admin-api-key', server.adminApiKey, '--admin-username', server.adminUsername]
  return ['conformance', server.baseUrl, ...given, ...options]
}

describe('hallpass conformance', () => {
  test('prints a table by section, and totals', async () => {
    const { status, stdout, stderr } = await typist.run(asAdministrator('--only', 'P-52,p-36,P-65'))
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(
      stdout,
      /^§2 parameters of the browser flow\n {2}P-36 {3}passed {3}takes any text as client_id/,
    )
    assert.match(
      stdout,
      /\n\n§3 browser flow\n {2}P-52 {3}passed {3}tells the version in the probe\n {2}P-65 /,
    )
    assert.match(stdout, /\n3 passed, 0 failed, 0 skipped in [\d.]+ s\n$/)
  })

  test('says what it skipped for want of credentials', async () => {
    const { status, stdout } = await typist.run(['conformance', server.baseUrl, '--only', 'P-52,P-65,P-421'])
    assert.equal(status, 0)
    assert.match(stdout, /P-65 {3}skipped .*\(it needs a user, or an administrator’s API key\)/)
    assert.match(stdout, /P-421 {2}skipped .*\(it needs an administrator’s API key\)/)
    assert.match(stdout, /1 passed, 0 failed, 2 skipped/)
  })

  test('ends with 1 and shows the exchange when something failed, without the key that it was given', async () => {
    // A user whom the suite did not make, and whose key says what the test wants: that nobody of that name made it.
    const options = asAdministrator('--only', 'P-361').map((one) =>
      one === server.adminUsername ? 'ADMIN' : one,
    )
    assert.equal((await typist.run(options)).status, 0)
    const wrong = await typist.run(['conformance', `${server.baseUrl}/nowhere`, '--only', 'P-52'])
    assert.equal(wrong.status, 1)
    assert.match(wrong.stdout, /P-52 failed: tells the version in the probe\n {2}status|P-52 failed/)
    assert.match(wrong.stdout, /request:\n {4}HEAD \/nowhere\/user-api-key\/new\n/)
    assert.ok(!wrong.stdout.includes(server.adminApiKey))
  })

  test('writes the report as JSON, to stdout or to a file', async () => {
    const { stdout } = await typist.run(asAdministrator('--only', 'P-52', '--json', '-'))
    const report = JSON.parse(stdout) as Report
    assert.deepEqual(report.totals, { passed: 1, failed: 0, skipped: 0 })
    assert.deepEqual([report.baseUrl, report.results[0]?.id], [server.baseUrl, 'P-52'])
    const file = join(dirname(dirname(dirname(typist.credentialPath))), 'report.json')
    const table = await typist.run(asAdministrator('--only', 'P-52', '--json', file))
    assert.match(table.stdout, /1 passed/)
    assert.equal((JSON.parse(await readFile(file, 'utf8')) as Report).totals.passed, 1)
  })

  test('leaves a site on another machine alone without --yes', async () => {
    const { status, stdout, stderr } = await typist.run(['conformance', 'https://forum.example.com'])
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(stderr, /forum\.example\.com is another machine.*add --yes/)
  })

  test('refuses a requirement that there is not', async () => {
    const { status, stderr } = await typist.run(asAdministrator('--only', 'P-52,P-9999'))
    assert.equal(status, 2)
    assert.match(stderr, /there is no case for P-9999/)
  })

  test('says that an administrator’s key does not work', async () => {
    const { status, stderr } = await typist.run([
      'conformance',
      server.baseUrl,
      '--admin-api-key',
      'f'.repeat(64),
    ])
    assert.equal(status, 1)
    assert.match(stderr, /^error: the administrator’s API key does not work here: 403/)
  })
})
