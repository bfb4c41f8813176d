/** Where a refused request came from, as the log and its counters are told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noObserver, type RefusedRequest } from '../../src/domain/observation.ts'
import { createTestSite, siteUrl } from '../test-site.ts'

test('a page that is not there is told of with the address that asked for it', async (t) => {
  const told: RefusedRequest[] = []
  const observer = {
    ...noObserver,
    isOn: true,
    refused: (request: RefusedRequest) => void told.push(request),
  }
  const site = await createTestSite({ observer })
  t.after(() => site.close())
  const { status } = await site.hallpass.fetch(new Request(`${siteUrl}/nowhere`), {
    remoteAddress: '192.0.2.9',
  })
  assert.equal(status, 404)
  assert.deepEqual(
    told.map(({ address }) => address),
    ['192.0.2.9'],
  )
})
