import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WhoSignsIn } from '../../src/http/all-routes.ts'
import { createRoutes } from '../../src/http/routes.ts'
import type { Service } from '../../src/http/service.ts'

test('routes that could not be loaded are loaded when they are needed again', async () => {
  let asked = 0
  const people: WhoSignsIn = {
    get hasAccounts(): boolean {
      asked += 1
      throw new Error(`failure ${asked}`)
    },
    sessions: undefined,
    externalSignIn: undefined,
    startSession: undefined,
  }
  // Nothing is asked of it before that.
  const routes = createRoutes({} as Service, people)
  await assert.rejects(Promise.all([routes.load(), routes.load()]), { message: 'failure 1' })
  await assert.rejects(routes.load(), { message: 'failure 2' })
})
