import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { signIn } from '../approve.ts'
import { launchBrowser, openPage } from '../browser.ts'
import { type RunningCommand, startCommand } from '../running-command.ts'
import { freePort, type RunningServer, startServer } from '../running-server.ts'
import { plainEnvironment } from './installed.ts'
import { signedInVisitor, type Visitor } from './visitor.ts'

const require = createRequire(import.meta.url)
const program = join(dirname(require.resolve('@discourse/mcp/package.json')), 'dist/index.js')
const start = (...options: readonly string[]): RunningCommand =>
  startCommand(process.execPath, [program, ...options], plainEnvironment())

/** What it keeps of a site. */
interface Profile {
  readonly auth_pairs: readonly [{ readonly site: string; readonly user_api_key: string }]
}

describe('@discourse/mcp, unmodified', () => {
  let server: RunningServer
  let browser: Browser
  let visitor: Visitor
  let folder: string
  let profile: string

  before(async () => {
    ;[server, browser, folder] = await Promise.all([
      startServer(),
      launchBrowser(),
      mkdtemp(join(tmpdir(), 'hallpass-mcp-')),
    ])
    visitor = await signedInVisitor(server)
    profile = join(folder, 'profile.json')
  })
  after(async () => {
    await Promise.all([browser?.close(), server?.stop()])
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  test('gets a key with a code that its user types', async () => {
    const command = start('generate-user-api-key', '--site', server.baseUrl, '--save-to', profile)
    const [address] = await command.printed(/http\S+\/user-api-key\/activate\?request=\S+/)
    const [, code = ''] = await command.printed(/Enter this code when prompted: (\S+)/)
    const page = await openPage(browser)
    await page.goto(address)
    await signIn(page, server)
    await page.getByLabel('Code').fill(code)
    await page.getByRole('button', { name: 'Authorize' }).click()
    await page.getByRole('heading', { name: 'The app has access now' }).waitFor()
    await page.context().close()
    const { status, stderr } = await command.ended
    assert.equal(status, 0, stderr)

    const { auth_pairs: pairs } = JSON.parse(await readFile(profile, 'utf8')) as Profile
    assert.match(pairs[0].user_api_key, /^[0-9a-f]{32}$/)
    assert.equal(await visitor.app('Discourse MCP'), 'approved')
  })

  test('with that key its tools search, read and post', async () => {
    await using tools = await startTools([
      '--profile',
      profile,
      '--site',
      server.baseUrl,
      '--allow_writes',
      'true',
    ])
    const found = await tools.call('discourse_search', { query: 'welcome' })
    const [welcome] = found.results as { id: number; title: string }[]
    assert.match(welcome?.title ?? '', /^Welcome/)

    const topic = await tools.call('discourse_read_topic', { topic_id: welcome?.id })
    const [first] = topic.posts as { id: number; raw: string }[]
    assert.match(first?.raw ?? '', /guarded by Hallpass/)
    const post = await tools.call('discourse_read_post', { post_id: first?.id })
    assert.equal(post.raw, first?.raw)

    const made = await tools.call('discourse_create_topic', {
      title: 'Written by a language model',
      raw: 'It got its key with a code.',
    })
    const reply = await tools.call('discourse_create_post', {
      topic_id: made.topic_id,
      raw: 'And replied to itself.',
    })
    await tools.call('discourse_update_post', {
      post_id: reply.id,
      raw: 'And replied to itself, then thought again.',
    })

    const onTheForum = (await (
      await fetch(`${server.baseUrl}/t/${made.topic_id}.json?include_raw=true`)
    ).json()) as {
      title: string
      post_stream: { posts: { username: string; raw: string }[] }
    }
    assert.equal(onTheForum.title, 'Written by a language model')
    assert.deepEqual(
      onTheForum.post_stream.posts.map(({ username, raw }) => [username, raw]),
      [
        [server.adminUsername, 'It got its key with a code.'],
        [server.adminUsername, 'And replied to itself, then thought again.'],
      ],
    )
  })

  test('its other tools for everybody find what they call', async () => {
    await using tools = await startTools([
      '--profile',
      profile,
      '--site',
      server.baseUrl,
      '--allow_writes',
      'true',
      '--toolsets',
      'all',
    ])
    const username = server.adminUsername
    const calls: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
      ['discourse_filter_topics', { filter: 'order:created' }],
      ['discourse_search_posts', { query: 'welcome' }],
      ['discourse_read_topic_posts', { topic_id: 1, selection_mode: 'post_ids', post_ids: [1] }],
      ['discourse_list_latest_posts', {}],
      ['discourse_get_user', { username }],
      ['discourse_list_user_posts', { username }],
      ['discourse_list_user_actions', { username }],
      ['discourse_save_draft', { draft_key: 'new_topic', title: 'A draft', reply: 'To be written.' }],
      ['discourse_get_draft', { draft_key: 'new_topic' }],
      ['discourse_update_topic', { topic_id: 1, title: 'Welcome, and get a key' }],
    ]
    for (const [name, values] of calls) await tools.call(name, values)
  })

  test('its tools for personal messages write, invite, reply and list', async () => {
    const accounts = ['sam', 'kim'].map((username) =>
      fetch(`${server.baseUrl}/users.json`, {
        method: 'POST',
        headers: { 'api-key': server.adminApiKey, 'api-username': server.adminUsername },
        body: new URLSearchParams({ username, password: 'correct horse', email: `${username}@forum.test` }),
      }),
    )
    for (const answer of await Promise.all(accounts)) assert.equal(answer.status, 200)

    await using tools = await startTools([
      '--profile',
      profile,
      '--site',
      server.baseUrl,
      '--allow_writes',
      'true',
    ])
    const { topic_id: id } = await tools.call('discourse_create_private_message', {
      usernames: ['sam'],
      title: 'A message for Sam',
      raw: 'From a language model.',
    })
    await tools.call('discourse_invite_to_private_message', { topic_id: id, username: 'kim' })
    await tools.call('discourse_reply_private_message', { topic_id: id, raw: 'Kim reads it as well now.' })
    const message = await tools.call('discourse_read_private_message', { topic_id: id })
    const names = (message.allowed_users as { username: string }[]).map(({ username }) => username)
    assert.deepEqual(names.sort(), [server.adminUsername, 'kim', 'sam'])
    for (const mailbox of ['inbox', 'sent']) {
      const { messages } = await tools.call('discourse_list_private_messages', { mailbox })
      assert.deepEqual(
        (messages as { topic_id: number }[]).map((listed) => listed.topic_id),
        [id],
        mailbox,
      )
    }

    const asKim = { 'api-key': server.adminApiKey, 'api-username': 'kim' }
    const read = await fetch(`${server.baseUrl}/t/${id}.json?include_raw=true`, { headers: asKim })
    const { post_stream: stream } = (await read.json()) as { post_stream: { posts: { raw: string }[] } }
    assert.deepEqual(
      stream.posts.map(({ raw }) => raw),
      ['From a language model.', 'Kim reads it as well now.'],
    )
  })

  test('gets a key by copy and paste from a site without the device flow', async () => {
    // It takes the older way only where the site does not announce the newer one. The rest is the server’s.
    const port = await freePort()
    const olderSite = createServer((_, answer) => answer.writeHead(200, { 'auth-api-version': '4' }).end())
    await new Promise<void>((resolve) => void olderSite.listen(port, '127.0.0.1', resolve))
    try {
      const command = start('generate-user-api-key', '--site', `http://127.0.0.1:${port}`)
      const [address] = await command.printed(/http\S+\/user-api-key\/new\?\S+/)
      await command.printed(/Paste the encrypted payload/)
      const payload = await visitor.approveToPayload(
        address.replace(`http://127.0.0.1:${port}`, server.baseUrl),
      )
      command.write(`${payload}\n`)
      command.endInput()
      const { status, stdout, stderr } = await command.ended
      assert.equal(status, 0, stderr)
      const [, key = ''] = /"user_api_key": "([0-9a-f]{32})"/.exec(stdout) ?? []
      const session = await fetch(`${server.baseUrl}/session/current.json`, {
        headers: { 'user-api-key': key, 'user-api-client-id': 'discourse-mcp' },
      })
      assert.equal(session.headers.get('x-discourse-username'), server.adminUsername)
    } finally {
      await closed(olderSite)
    }
  })
})

interface Tools extends AsyncDisposable {
  /** What a tool answers. Fails the test when the tool failed. */
  call(name: string, values: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>
}

/** Its server, spoken to as a language model’s program does: JSON-RPC, a message a line. */
async function startTools(options: readonly string[]): Promise<Tools> {
  const command = start(...options)
  let count = 0
  const request = async (method: string, params: unknown): Promise<unknown> => {
    count += 1
    command.write(`${JSON.stringify({ jsonrpc: '2.0', id: count, method, params })}\n`)
    const [line] = await command.printed(new RegExp(`^\\{.*"jsonrpc":"2\\.0","id":${count}\\}$`, 'm'))
    return (JSON.parse(line) as { result: unknown }).result
  }
  await request('initialize', {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'interop', version: '1' },
  })
  command.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`)
  return {
    async call(name, values) {
      const result = (await request('tools/call', { name, arguments: values })) as {
        isError?: boolean
        content: [{ text: string }]
      }
      assert.ok(!result?.isError, `${name}: ${JSON.stringify(result)}`)
      return JSON.parse(result.content[0].text) as Record<string, unknown>
    },
    async [Symbol.asyncDispose]() {
      command.stop()
      await command.ended
    },
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
