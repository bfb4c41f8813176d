import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { logDeviceStep } from '../../src/domain/device-log.ts'
import type { LogEvent } from '../../src/domain/ports.ts'
import { createTestSite } from '../test-site.ts'

describe('logDeviceStep', () => {
  test('tells codes by their digest, secrets by their presence, and cuts what is long', async () => {
    const lines: LogEvent[] = []
    const site = await createTestSite()
    const settings = { ...site.hallpass.settings(), verbose_user_api_key_device_auth_logging: true }
    await site.close()
    const domain = {
      settings: { current: () => settings, isPinned: () => false },
      log: (event: LogEvent) => {
        lines.push(event)
      },
    }
    logDeviceStep(domain, 'request', {
      device_code: 'a'.repeat(64),
      user_code: 'abcd 2345',
      nonce: 'n',
      public_key: 'p',
      payload: 'x',
      application_name: 'é'.repeat(300),
      user_id: undefined,
    })
    assert.deepEqual(lines, [
      {
        event: 'device_auth',
        step: 'request',
        device_code: 'ffe054fe7ae0',
        user_code: 'fba9e3b1cf08',
        nonce: 'present',
        public_key: 'present',
        payload: 'present',
        application_name: 'é'.repeat(256),
        user_id: undefined,
      },
    ])
  })
})
