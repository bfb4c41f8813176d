import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestSite, type TestSite } from '../test-site.ts'
import { adapterCases, ownScopes } from './adapter-cases.ts'
import { drivers, type RunningApp, startApp } from './adapter-drivers.ts'

const unhandled: unknown[] = []
process.on('unhandledRejection', (error) => unhandled.push(error))

for (const driver of drivers) {
  for (const bodies of ['parsed before', 'parsed behind'] as const) {
    describe(`the guard on ${driver.name}, bodies ${bodies} it`, () => {
      const errors: unknown[] = []
      let site: TestSite
      let app: RunningApp
      before(async () => {
        site = await createTestSite({ scopes: ownScopes, onError: () => {} })
        const names = ['read', 'write', ...ownScopes.map(({ name }) => name)].join('|')
        await site.asAdmin('/admin/site_settings/allow_user_api_key_scopes.json', {
          method: 'PUT',
          form: { allow_user_api_key_scopes: names },
        })
        app = await startApp(driver, site.hallpass, { bodies, onError: (error) => errors.push(error) })
      })
      after(async () => {
        await app.close()
        await site.close()
      })

      for (const { guarantee, run, concerns = () => true, bodies: only = bodies } of adapterCases) {
        if (only !== bodies || !concerns(driver)) continue
        test(guarantee, { timeout: 20_000 }, async () => {
          // Every case begins in a minute in which nothing has been counted.
          site.advance(61)
          await run({ app, site, driver, errors })
        })
      }

      test('no promise was left to reject unheard', () => {
        assert.deepEqual(unhandled, [])
      })
    })
  }
}
