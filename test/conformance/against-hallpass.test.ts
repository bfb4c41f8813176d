import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { allCases } from '../../conformance/cases/all-cases.ts'
import type { CaseResult } from '../../conformance/report.ts'
import { runSuite } from '../../conformance/suite.ts'
import { startServer } from '../running-server.ts'

const server = await startServer({ env: { HALLPASS_ALLOW_PRIVATE_PUSH: '1' } })
after(() => server.stop())

const report = await runSuite({
  baseUrl: server.baseUrl,
  adminApiKey: server.adminApiKey,
  adminUsername: server.adminUsername,
  pushTarget: 'http://127.0.0.1:0',
})

describe('the conformance suite against hallpass serve', () => {
  for (const { section, title, cases } of allCases) {
    describe(`§${section} ${title}`, () => {
      for (const id of new Set(cases.map((one) => one.id))) {
        for (const result of report.results.filter((one) => one.id === id)) trial(result)
      }
    })
  }

  test('tries every case', () => {
    assert.equal(report.results.length, allCases.flatMap(({ cases }) => cases).length)
  })

  test('puts everything back', () => {
    assert.deepEqual(report.leftBehind, [])
  })
})

function trial({ id, title, outcome, reason = '', exchange }: CaseResult): void {
  test(`${id}: ${title}`, (context) => {
    if (outcome === 'skipped') return context.skip(reason)
    assert.equal(outcome, 'passed', [reason, exchange?.request, exchange?.answer].join('\n\n'))
  })
}
