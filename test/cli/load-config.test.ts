import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { checkConfig } from '../../src/cli/check-config.ts'
import { loadConfig } from '../../src/cli/load-config.ts'
import type { HallpassError } from '../../src/protocol/errors.ts'
import { newTypist, type Typist } from './command.ts'

let folder: string
let typist: Typist
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hallpass-config-'))
  typist = await newTypist()
})
after(async () => {
  await typist.leave()
  await rm(folder, { recursive: true, force: true })
})

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const invoices = {
  name: 'shop:invoices_read',
  label: 'See your invoices',
  description: 'GET /invoices.',
  routes: [{ methods: ['GET'], paths: ['/invoices', '/invoices/:id'], pathParams: ['id'] }],
}

describe('loadConfig', () => {
  test('reads TypeScript, with defineConfig from wherever the file lies, and JavaScript and JSON', async () => {
    const typescript = `import { defineConfig } from 'hallpass/server'
      const port: number = 4100
      export default defineConfig({ port, host: '0.0.0.0' })`
    assert.deepEqual(await loadConfig(await file('one.ts', typescript)), { port: 4100, host: '0.0.0.0' })
    const javascript = 'export default { forum: false }'
    assert.deepEqual(await loadConfig(await file('two.mjs', javascript)), { forum: false })
    const json = JSON.stringify({ $schema: './hallpass.schema.json', scopes: [invoices] })
    assert.deepEqual((await loadConfig(await file('three.json', json))).scopes, [invoices])
  })

  test('reads a relative data folder from the file’s own folder', async () => {
    const path = await file('data.json', '{"data":"store"}')
    assert.equal((await loadConfig(path)).data, join(folder, 'store'))
  })

  test('is empty where there is no file', async () => {
    assert.deepEqual(await loadConfig(), {})
  })

  const unreadable: readonly [name: string, text: string][] = [
    ['broken.json', '{"port": 1,}'],
    ['broken.ts', 'export default {'],
    ['throws.ts', 'throw new Error("no database")'],
    ['nothing.ts', 'export const config = {}'],
    ['missing-import.ts', 'import "no-such-package"\nexport default {}'],
  ]
  for (const [name, text] of unreadable) {
    test(`names ${name} as unreadable`, async () => {
      const path = await file(name, text)
      await assert.rejects(loadConfig(path), (error: HallpassError) => {
        assert.equal(error.reason, 'config_unreadable')
        assert.ok(error.message.startsWith(path), error.message)
        return true
      })
    })
  }

  test('says how a file is made a module that Node takes for CommonJS', async () => {
    const inner = await mkdtemp(join(folder, 'commonjs-'))
    await writeFile(join(inner, 'package.json'), '{"type":"commonjs"}')
    for (const text of ["import 'node:fs'\nexport default {}", 'export default {}']) {
      for (const name of ['one.ts', 'one.js']) {
        const path = join(inner, `${text.length}-${name}`)
        await writeFile(path, text)
        await assert.rejects(loadConfig(path), (error: HallpassError) => {
          assert.equal(error.reason, 'config_unreadable')
          assert.match(error.remedy ?? '', /"type": "module"/)
          return true
        })
      }
    }
  })

  test('refuses a file that is not there', async () => {
    await assert.rejects(loadConfig(join(folder, 'nowhere.json')), { reason: 'config_not_found' })
  })

  test('says all that is wrong at once, each with its path and what is expected', async () => {
    const path = await file('wrong.json', '{"prot":1,"port":"80","trustedProxies":["10.0.0.0/33"]}')
    await assert.rejects(loadConfig(path), {
      reason: 'configuration_invalid',
      message: `${path} has 3 problems:
  prot: there is no such member. give port, if that is meant
  port: is the text "80". give a whole number from 0 to 65535
  trustedProxies[0]: is "10.0.0.0/33". give an IP address or range, such as 127.0.0.1, 10.0.0.0/8 or 2001:db8::/32`,
    })
  })
})

describe('checkConfig', () => {
  test('takes a config that says everything', () => {
    const config = {
      port: 0,
      host: '::1',
      data: '/var/lib/hallpass',
      baseUrl: 'https://shop.example.com',
      upstream: 'http://127.0.0.1:3000',
      forum: false,
      trustedProxies: ['127.0.0.1', '10.0.0.0/8'],
      allowPrivatePush: true,
      scopes: [invoices],
      apiKeyScopes: [{ resource: 'invoices', action: 'read', routes: invoices.routes }],
      settings: { title: 'Shop', allow_user_api_key_scopes: ['read', 'shop:invoices_read'] },
      signIn: { method: 'openid-connect', issuer: 'https://id.example.com', clientId: 'shop' },
    }
    assert.deepEqual(checkConfig(config), { config, problems: [] })
  })

  const wrong: readonly [what: string, value: unknown, paths: readonly string[]][] = [
    ['a list in place of the whole', [], ['']],
    ['null', null, ['']],
    ['a port that is no whole number', { port: 80.5 }, ['port']],
    ['a base URL with a path', { baseUrl: 'https://a.example/b' }, ['baseUrl']],
    ['a base URL with a password', { baseUrl: 'https://u:p@a.example' }, ['baseUrl']],
    ['a member of a scope that is not known', { scopes: [{ ...invoices, lable: 'x' }] }, ['scopes[0].lable']],
    ['a scope without routes', { scopes: [{ ...invoices, routes: undefined }] }, ['scopes[0].routes']],
    [
      'a method in small letters',
      { scopes: [{ ...invoices, routes: [{ methods: ['get'] }] }] },
      ['scopes[0].routes[0].methods[0]'],
    ],
    [
      'patterns that are none',
      { scopes: [{ ...invoices, routes: [{ paths: ['/a/', '/ok', '/b.json', '/:a/:a'] }] }] },
      ['scopes[0].routes[0].paths[0]', 'scopes[0].routes[0].paths[2]', 'scopes[0].routes[0].paths[3]'],
    ],
    ['the name of a scope of the protocol', { scopes: [{ ...invoices, name: 'read' }] }, ['scopes[0].name']],
    ['a name twice', { scopes: [invoices, invoices] }, ['scopes[1].name']],
    [
      'an API key scope of the protocol',
      { apiKeyScopes: [{ resource: 'topics', action: 'read', routes: invoices.routes }] },
      ['apiKeyScopes[0]'],
    ],
    ['a setting that is not known', { settings: { titel: 'x' } }, ['settings.titel']],
    [
      'a setting out of its range',
      { settings: { max_user_api_reqs_per_minute: 0 } },
      ['settings.max_user_api_reqs_per_minute'],
    ],
    [
      'a setting that lists a scope nobody knows',
      { settings: { allow_user_api_key_scopes: ['shop:orders'] } },
      ['settings.allow_user_api_key_scopes'],
    ],
    ['a way to sign in that is not known', { signIn: { method: 'oidc' } }, ['signIn.method']],
    [
      'a way to sign in without what it needs',
      { signIn: { method: 'openid-connect' } },
      ['signIn.issuer', 'signIn.clientId'],
    ],
    ['members with odd names', { 'a b': 1, __proto__x: 1 }, ['["a b"]', '__proto__x']],
    [
      'a part whose form is right beside one whose form is not',
      { scopes: [{}, { ...invoices, name: 'read' }], port: '1' },
      [
        'scopes[0].name',
        'scopes[0].label',
        'scopes[0].description',
        'scopes[0].routes',
        'port',
        'scopes[1].name',
      ],
    ],
  ]
  for (const [what, value, paths] of wrong) {
    test(`refuses ${what}`, () => {
      const { config, problems } = checkConfig(value)
      assert.equal(config, undefined)
      assert.deepEqual(
        problems.map(({ path }) => path),
        paths,
      )
    })
  }

  // A terminal, or the log of a service, would keep it.
  test('repeats no secret', () => {
    const signIn = { method: 'discourse-connect', url: 'https://a.example', secret: 'hunter2' }
    const settings = { push_api_secret_key: 'hunter2\u0001' }
    const { problems } = checkConfig({ signIn, settings })
    const number = checkConfig({ signIn: { ...signIn, secret: 4711 } }).problems
    assert.deepEqual([problems.length, number.length], [2, 1])
    assert.doesNotMatch(JSON.stringify([problems, number]), /hunter2|4711/)
  })
})

describe('hallpass serve --config', () => {
  test('starts with the file’s port, scopes and pinned settings; a flag is stronger', async () => {
    const path = await file(
      'serve.json',
      JSON.stringify({
        port: 1,
        data: './data',
        scopes: [invoices],
        settings: { title: 'The shop', allow_user_api_key_scopes: ['read', 'shop:invoices_read'] },
      }),
    )
    const running = typist.start('serve', '--config', path, '--port', '0')
    const [address] = await running.printed(/http:\/\/localhost:\d+/)
    const scopes = await fetch(`${address}/hallpass/scopes.json`).then((response) => response.text())
    assert.match(scopes, /shop:invoices_read/)
    const about = await fetch(`${address}/site/basic-info.json`).then((response) => response.json())
    assert.equal((about as { title: string }).title, 'The shop')
    running.stop()
    await running.ended
  })

  test('does not start with a file that is wrong', async () => {
    const path = await file('stop.json', '{"port":"x"}')
    const { status, stdout, stderr } = await typist.run(['serve', '--config', path])
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /^error: .*stop\.json has a problem:\n {2}port: is the text "x"\. give /)
    assert.match(stderr, /reason: configuration_invalid\n$/)
  })
})
