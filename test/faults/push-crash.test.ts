import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Answer, type PushReceiver, startReceiver } from '../push-receiver.ts'
import { type RunningServer, startServer } from '../running-server.ts'
import { authorizationParameters, openSealed } from '../test-site.ts'

/** What the receiver answers next; 200 when there is nothing left. */
const answers: Answer[] = []
const env = {
  HALLPASS_ALLOW_PRIVATE_PUSH: '1',
  // Nothing listens there: what went by way of a proxy would not arrive.
  NODE_USE_ENV_PROXY: '1',
  HTTP_PROXY: 'http://127.0.0.1:9',
}

let dataDir: string
let receiver: PushReceiver
let server: RunningServer
let port: number
let adminApiKey: string

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'hallpass-push-'))
  receiver = await startReceiver(answers)
  server = await startServer({ dataDir, env })
  ;({ port, adminApiKey } = server)
  for (const username of ['sam', 'kim']) {
    await call('POST', '/users.json', { username, password: 'correct horse battery' })
  }
  await set('allowed_user_api_push_urls', `${receiver.url}/publish`)
  await set('push_api_secret_key', 'a secret')
  await set('push_first_retry_seconds', '1')
  await set('push_timeout_seconds', '1')
})
after(async () => {
  await server?.stop()
  await receiver?.[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true, force: true })
})

// biome-ignore lint/suspicious/noExplicitAny: answers are read the way a client in any language reads them.
async function call(method: string, path: string, json?: unknown, as = 'admin'): Promise<any> {
  const response = await fetch(`http://localhost:${port}${path}`, {
    method,
    headers: { 'api-key': adminApiKey, 'api-username': as, 'content-type': 'application/json' },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  })
  assert.equal(response.status, 200, `${method} ${path}`)
  return response.json()
}

async function set(name: string, value: string): Promise<void> {
  await call('PUT', `/admin/site_settings/${name}.json`, { [name]: value })
}

function post(raw: string): Promise<{ topic_id: number; topic_slug: string }> {
  return call('POST', '/posts.json', { title: 'A topic to talk about', raw }, 'sam')
}

async function restart(): Promise<void> {
  await server.kill9()
  server = await startServer({ dataDir, env, port })
}

const excerpts = (): string[] =>
  receiver.received.map(({ body }) => JSON.parse(body).notifications[0].excerpt)
const names = (): unknown[] => receiver.received.map(({ headers }) => headers['hallpass-delivery'])

describe('pushes of a real server', () => {
  test('who is mentioned has it on their app: exactly the protocol’s JSON, past any proxy', async () => {
    const parameters = {
      scopes: 'notifications',
      push_url: `${receiver.url}/publish`,
      client_id: 'phone “1”',
    }
    const { payload } = await call('POST', '/user-api-key.json', authorizationParameters(parameters), 'kim')
    assert.equal(openSealed(payload).push, true)
    const { topic_id, topic_slug } = await post('Hello **@kim** “look” & see')
    await receiver.arrived(1)
    assert.equal(
      receiver.received[0]?.body,
      JSON.stringify({
        secret_key: 'a secret',
        url: `http://localhost:${port}`,
        title: 'Hallpass',
        description: '',
        notifications: [
          {
            notification_type: 1,
            post_number: 1,
            topic_title: 'A topic to talk about',
            topic_id,
            excerpt: 'Hello @kim “look” & see',
            username: 'sam',
            url: `http://localhost:${port}/t/${topic_slug}/${topic_id}/1`,
            client_id: 'phone “1”',
          },
        ],
      }),
    )
  })

  test('a push that failed is tried again after kill -9', async () => {
    await set('push_first_retry_seconds', '5')
    answers.push(500)
    await post('one @kim')
    await receiver.arrived(2)
    await pending('the failure is noted', ([push]) => push?.last_status === 500)
    await restart()
    await receiver.arrived(3)
    assert.deepEqual(excerpts().slice(1), ['one @kim', 'one @kim'])
    assert.equal(names()[1], names()[2])
  })

  test('a push that was being sent at kill -9 is sent again, under its name, before those behind it', async () => {
    answers.push(() => {})
    await post('two @kim')
    await receiver.arrived(4)
    await post('three @kim')
    await pending('both are queued', (pushes) => pushes.length === 2)
    await restart()
    await receiver.arrived(6)
    assert.deepEqual(excerpts().slice(3), ['two @kim', 'two @kim', 'three @kim'])
    assert.equal(names()[3], names()[4])
    assert.notEqual(names()[4], names()[5])
  })

  test('nothing is left behind', async () => {
    await pending('none waits', (pushes) => pushes.length === 0)
    const { push_deliveries: pushes } = await call('GET', '/hallpass/push.json')
    assert.deepEqual(
      pushes.map(({ state }: { state: string }) => state),
      ['delivered', 'delivered', 'delivered', 'delivered'],
    )
  })
})

interface Pending {
  readonly last_status: number | null
}

/** Waits until something holds for the pushes that wait, with a bound. */
async function pending(what: string, holds: (pushes: readonly Pending[]) => boolean): Promise<void> {
  const deadline = Date.now() + 15_000
  for (;;) {
    const { push_deliveries: pushes } = await call('GET', '/hallpass/push.json?state=pending')
    if (holds(pushes)) return
    if (Date.now() > deadline) assert.fail(`not so: ${what}. ${JSON.stringify(pushes)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
