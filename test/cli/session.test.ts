import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { type PlainSite, startPlainSite } from '../client/plain-site.ts'
import { newTypist, type Typist } from './command.ts'

/** The moments in a transcript, which differ from run to run. */
function timeless(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, 'TIME')
}

/** Goes where the site sends the browser. */
async function followRedirect(site: PlainSite, url: string): Promise<void> {
  const page = await fetch(site.approve(url).redirectUrl ?? '')
  assert.equal(page.status, 200, await page.text())
}

let site: PlainSite
let typist: Typist
before(async () => {
  site = await startPlainSite()
})
after(() => site.close())
beforeEach(async () => {
  typist = await newTypist()
})
afterEach(() => typist.leave())

async function signIn(...options: readonly string[]): Promise<void> {
  const { status, stderr } = await typist.login([site.baseUrl, ...options], (url) =>
    followRedirect(site, url),
  )
  assert.equal(status, 0, stderr)
}

describe('hallpass login', () => {
  test('waits for the browser, then says who the user is and what the key may do', async () => {
    let address = ''
    const outcome = await typist.login(
      [site.baseUrl, '--scopes', 'read, write', '--name', 'My app', '--expires-in', '30d'],
      (url) => {
        address = url
        return followRedirect(site, url)
      },
    )
    assert.deepEqual(outcome, {
      status: 0,
      stdout: `signed in to ${site.baseUrl} as maria. this key may: read, write.
try: hallpass call GET /session/current.json
`,
      stderr: `open this address in a browser:

  ${address}

waiting until you approve. ctrl-c stops
`,
    })
    const { searchParams } = new URL(address)
    assert.equal(searchParams.get('scopes'), 'read,write')
    assert.equal(searchParams.get('application_name'), 'My app')
    assert.equal(searchParams.get('expires_in_seconds'), String(30 * 86_400))
    assert.equal(searchParams.get('padding'), 'oaep')
    if (process.platform !== 'win32') assert.equal((await stat(typist.credentialPath)).mode & 0o777, 0o600)
  })

  test('asks for the scope read, under a name that tells the machine', async () => {
    let address = ''
    await typist.login([site.baseUrl], (url) => {
      address = url
      return followRedirect(site, url)
    })
    const { searchParams } = new URL(address)
    assert.equal(searchParams.get('scopes'), 'read')
    assert.match(searchParams.get('application_name') ?? '', /^Hallpass CLI on ./)
  })

  test('keeps its client id from one login to the next, so that keys do not pile up', async () => {
    const ids: (string | null)[] = []
    for (const _ of [1, 2]) {
      await typist.login([site.baseUrl], (url) => {
        ids.push(new URL(url).searchParams.get('client_id'))
        return followRedirect(site, url)
      })
    }
    assert.match(ids[0] ?? '', /^hallpass-cli-[0-9a-f-]{36}$/)
    assert.equal(ids[0], ids[1])
  })

  test('takes the address that the browser ended at, pasted in pieces', async () => {
    const running = typist.start('login', site.baseUrl, '--no-browser')
    const [url] = await running.printed(/http:\S+new\?\S+/)
    await running.printed(/waiting/)
    const { redirectUrl = '' } = site.approve(url)
    running.write(redirectUrl.slice(0, 150))
    await running.printed(/of 344 characters\. paste the rest/)
    running.write(`${redirectUrl.slice(150)}\n`)
    assert.match((await running.ended).stdout, /^signed in to \S+ as maria/)
  })

  test('with --manual takes the payload that the page shows, on several lines', async () => {
    const running = typist.start('login', site.baseUrl, '--no-browser', '--manual')
    const [url] = await running.printed(/http:\S+new\?\S+/)
    assert.equal(new URL(url).searchParams.get('auth_redirect'), null)
    running.write('hello there!\n')
    await running.printed(/that is no payload: "!" is no character of base64\. paste it again/)
    running.write(site.approve(url).payload)
    assert.match((await running.ended).stdout, /^signed in to \S+ as maria/)
  })

  test('says how much of the payload is missing when the input ends', async () => {
    const { status, stderr } = await typist.run(['login', site.baseUrl, '--no-browser', '--manual'], 'AAAA')
    assert.equal(status, 1)
    assert.match(
      stderr,
      /^error: the payload is incomplete: 4 of 344 characters\nfix: .*\nreason: payload_incomplete$/m,
    )
  })

  test('falls back to pasting on a site that allows no loopback redirect', async () => {
    const strict = await startPlainSite({ allowsLoopback: false, knowsPadding: false })
    try {
      const running = typist.start('login', strict.baseUrl, '--no-browser')
      await running.printed(/you can paste the payload instead/)
      const [url] = await running.printed(/http:\S+new\?\S+/)
      running.write(strict.approve(url).payload)
      assert.match((await running.ended).stdout, /^signed in to \S+ as maria/)
    } finally {
      await strict.close()
    }
  })

  test('gives up after --timeout', async () => {
    const { status, stderr } = await typist.run(['login', site.baseUrl, '--no-browser', '--timeout', '1s'])
    assert.equal(status, 1)
    assert.match(
      stderr,
      /error: nobody approved within 1 second\nfix: .*\nreason: authorization_timed_out\n$/,
    )
  })

  test('names a site that has no user API keys', async () => {
    site.answerNext('/user-api-key/new', 404, {}, '')
    assert.deepEqual(await typist.run(['login', site.baseUrl]), {
      status: 1,
      stdout: '',
      stderr: `error: ${site.baseUrl} has no user API keys: ${site.baseUrl}/user-api-key/new answers 404
fix: check the address. for a site in a folder give the folder too, as in https://example.com/forum
reason: site_without_api
`,
    })
  })
})

describe('hallpass call', () => {
  test('sends fields in the query of a GET and prints the answer as it came', async () => {
    await signIn()
    assert.deepEqual(await typist.run(['call', 'get', 'search.json', 'q=hall pass', 'page:=2']), {
      status: 0,
      stdout: '{"query":"?q=hall+pass&page=2"}',
      stderr: '',
    })
  })

  test('sends fields as JSON otherwise', async () => {
    await signIn('--scopes', 'write')
    const options = ['call', 'POST', '/posts.json', 'title=A = B', 'category:=4', 'tags[]=x', 'tags[]=y']
    const { stdout } = await typist.run(options)
    const { sent } = JSON.parse(stdout) as { sent: string }
    assert.equal(sent, '{"title":"A = B","category":4,"tags":["x","y"]}')
    const request = site.requests.at(-1)
    assert.equal(request?.headers['content-type'], 'application/json')
  })

  test('takes a whole body from --json or from stdin, and further headers', async () => {
    await signIn('--scopes', 'write')
    await typist.run([
      'call',
      'POST',
      '/posts.json',
      '--json',
      '{"raw":"a"}',
      '--header',
      'X-One: 1',
      '--header',
      'X-Two: 2',
    ])
    const first = site.requests.at(-1)
    assert.deepEqual(
      [first?.body, first?.headers['x-one'], first?.headers['x-two']],
      ['{"raw":"a"}', '1', '2'],
    )
    await typist.run(['call', 'POST', '/posts.json', '--json', '-'], '{"raw":"b"}')
    assert.equal(site.requests.at(-1)?.body, '{"raw":"b"}')
  })

  test('prints the status and the headers with --include', async () => {
    await signIn()
    const { stdout } = await typist.run(['call', 'GET', '/search.json', '--include'])
    assert.match(stdout, /^200 OK\n(.+: .+\n)*x-discourse-username: maria\n(.+: .+\n)*\n\{"query":""\}$/)
  })

  test('explains a refusal on stderr', async () => {
    await signIn()
    assert.deepEqual(await typist.run(['call', 'POST', '/posts.json', 'raw=Hello']), {
      status: 1,
      stdout: '',
      stderr: `error: POST /posts.json needs one of the scopes: write. this key has: read
fix: ask for \`write\`: hallpass login ${site.baseUrl} --scopes read,write
reason: scope_insufficient (the site says: You are not permitted to view the requested resource.)
`,
    })
  })

  test('says that it waits for a limit, then goes on', async () => {
    await signIn()
    const refused = JSON.stringify({ errors: ['Slow down.'], extras: { wait_seconds: 1 } })
    site.answerNext('/search.json', 429, { 'Retry-After': '1' }, refused)
    assert.deepEqual(await typist.run(['call', 'GET', '/search.json']), {
      status: 0,
      stdout: '{"query":""}',
      stderr: 'waiting 1 s: too many requests: Slow down.\n',
    })
  })

  test('does not follow a redirect to another site', async () => {
    await signIn()
    site.answerNext('/search.json', 302, { Location: 'https://evil.example.com/' }, '')
    const { status, stderr } = await typist.run(['call', 'GET', '/search.json'])
    assert.equal(status, 1)
    assert.match(stderr, /reason: redirected_outside_site/)
  })

  const notUnderstood: readonly (readonly [readonly string[], RegExp])[] = [
    [['FETCH', '/x'], /^error: FETCH is no method\. use one of GET, POST/],
    [['GET', '/x', 'field'], /^error: field is no field\. write name=text, or name:=json/],
    [['GET', '/x', 'a:=b'], /^error: the value of a is not json/],
    [['POST', '/x', '--json', '{'], /^error: --json is not json/],
    [['POST', '/x', 'a=b', '--json', '{}'], /^error: give fields or --json, not both/],
    [['GET', '/x', '--json', '{}'], /^error: GET has no body/],
    [['GET', '/x', '--header', 'nothing'], /^error: nothing is no header/],
    [['GET'], /^error: missing required argument 'path'/],
  ]
  for (const [options, message] of notUnderstood) {
    test(`does not understand ${options.join(' ')}`, async () => {
      const { status, stdout, stderr } = await typist.run(['call', ...options])
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, message)
    })
  }
})

describe('hallpass whoami', () => {
  test('asks the site whose key it is', async () => {
    await signIn('--name', 'My app')
    assert.deepEqual(await typist.run(['whoami']), {
      status: 0,
      stdout: `maria at ${site.baseUrl}
this key may: read
it was given to: My app
it does not expire
`,
      stderr: '',
    })
  })

  test('fails when the site no longer accepts the key', async () => {
    await signIn()
    const { sites } = JSON.parse(await readFile(typist.credentialPath, 'utf8'))
    site.revoke(sites[site.baseUrl].credential.key)
    const { status, stderr } = await typist.run(['whoami'])
    assert.equal(status, 1)
    assert.match(
      stderr,
      /^error: \S+ refused GET \/session\/current\.json, and does not say why\nfix: the key may be revoked/,
    )
  })
})

describe('hallpass logout', () => {
  test('revokes the key at its site, and the next call says so', async () => {
    await signIn()
    const { sites } = JSON.parse(await readFile(typist.credentialPath, 'utf8'))
    const { key } = sites[site.baseUrl].credential
    assert.deepEqual(await typist.run(['logout']), {
      status: 0,
      stdout: `signed out of ${site.baseUrl}. the key is revoked.\n`,
      stderr: '',
    })
    assert.equal(
      (await fetch(`${site.baseUrl}/search.json`, { headers: { 'User-Api-Key': key } })).status,
      403,
    )

    const next = await typist.run(['call', 'GET', '/search.json'])
    assert.equal(next.status, 1)
    assert.equal(
      timeless(next.stderr),
      `error: the key for ${site.baseUrl} was revoked on TIME
fix: run \`hallpass login ${site.baseUrl}\`
reason: credential_revoked
`,
    )
    assert.ok(!(await readFile(typist.credentialPath, 'utf8')).includes(key))
    const again = await typist.run(['logout'])
    assert.equal(again.status, 0)
    assert.equal(timeless(again.stdout), `the key for ${site.baseUrl} was revoked already, on TIME.\n`)
  })

  test('forgets a key that the site does not accept any more', async () => {
    await signIn()
    const { sites } = JSON.parse(await readFile(typist.credentialPath, 'utf8'))
    site.revoke(sites[site.baseUrl].credential.key)
    const { status, stdout } = await typist.run(['logout'])
    assert.deepEqual(
      [status, stdout],
      [0, `signed out of ${site.baseUrl}, which did not accept the key any more.\n`],
    )
  })

  test('keeps the key while the site fails, and forgets it with --force', async () => {
    await signIn()
    site.answerNext('/user-api-key/revoke.json', 502, {}, '')
    const kept = await typist.run(['logout'])
    assert.equal(kept.status, 1)
    assert.match(
      kept.stderr,
      /^the key is kept, for it is not revoked\..*logout --force\nerror: .* with 502\n/,
    )
    assert.equal((await typist.run(['whoami'])).status, 0)

    site.answerNext('/user-api-key/revoke.json', 502, {}, '')
    const forced = await typist.run(['logout', '--force'])
    assert.equal(forced.status, 0)
    assert.match(
      forced.stdout,
      /^forgot the key for .* it works until you revoke it on your apps page there\.\n$/,
    )
    assert.equal((await typist.run(['sites'])).stdout, 'no sites yet. run `hallpass login <site>`\n')
  })
})

describe('several sites', () => {
  test('are listed, and one is meant when none is named', async () => {
    const other = await startPlainSite()
    try {
      await signIn('--scopes', 'read,write')
      await typist.login([other.baseUrl], (url) => followRedirect(other, url))
      const sorted = [site.baseUrl, other.baseUrl].toSorted()
      const lines = sorted.map((each) =>
        each === site.baseUrl ? `  ${each}  maria  read, write\n` : `* ${each}  maria  read\n`,
      )
      assert.equal((await typist.run(['sites'])).stdout, lines.join(''))
      assert.match((await typist.run(['whoami', '--site', site.baseUrl])).stdout, /read, write/)

      // Another site's key must not be used in place of the revoked one.
      await typist.run(['logout'])
      assert.match((await typist.run(['whoami'])).stderr, /reason: credential_revoked/)
      const marked = timeless((await typist.run(['sites'])).stdout)
      assert.ok(marked.includes(`* ${other.baseUrl}  maria  revoked on TIME\n`), marked)
    } finally {
      await other.close()
    }
  })

  test('a site without a key is named, with the command that gets one', async () => {
    const { status, stderr } = await typist.run(['whoami', '--site', 'forum.example.com'])
    assert.equal(status, 1)
    assert.equal(
      stderr,
      `error: there is no key for https://forum.example.com
fix: run \`hallpass login https://forum.example.com\`
reason: credential_missing
`,
    )
  })
})
