import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { routeName } from '../../src/protocol/route-name.ts'

describe('routeName', () => {
  const cases: readonly [method: string, pattern: string, name: string][] = [
    ['GET', '/', 'list/latest'],
    ['GET', '/latest', 'list/latest'],
    ['GET', '/top/:period', 'list/top'],
    ['GET', '/session/current', 'session/current'],
    ['HEAD', '/session/current', 'session/current'],
    ['POST', '/session', 'session/create'],
    ['DELETE', '/session/:username', 'session/destroy'],
    ['GET', '/notifications', 'notifications/index'],
    ['PUT', '/notifications/mark-read', 'notifications/mark_read'],
    ['GET', '/u/:username', 'users/show'],
    ['GET', '/users/:username', 'users/show'],
    ['GET', '/u/:username/topic-tracking-state', 'users/topic_tracking_state'],
    ['GET', '/user_actions', 'user_actions/index'],
    ['GET', '/t/:slug/:id{[0-9]+}', 'topics/show'],
    ['PUT', '/t/:id/status', 'topics/status'],
    ['GET', '/topics/created-by/:username', 'topics/created_by'],
    ['POST', '/posts', 'posts/create'],
    ['GET', '/user-api-key/new', 'user_api_keys/new'],
    ['POST', '/user-api-key', 'user_api_keys/create'],
    ['POST', '/user-api-key/undo-revoke', 'user_api_keys/undo_revoke'],
    ['POST', '/user-api-key-client', 'user_api_key_clients/create'],
    ['GET', '/admin/api/keys', 'admin/api/index'],
    ['GET', '/admin/api/keys/:id', 'admin/api/show'],
    ['PUT', '/admin/site_settings/:name', 'admin/site_settings/update'],
    ['PUT', '/admin/users/:id/suspend', 'admin/users/suspend'],
    ['GET', '/hallpass/audit', 'hallpass/audit'],
  ]
  for (const [method, pattern, name] of cases) {
    test(`${method} ${pattern} is ${name}`, () => assert.equal(routeName(method, pattern), name))
  }
})
