import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { Credential } from '../../src/client/authorization.ts'
import { CredentialFile } from '../../src/client/credential-file.ts'

let folder: string
let file: CredentialFile

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hallpass-credentials-'))
  file = new CredentialFile({ path: join(folder, 'deep', 'credentials.json') })
})
afterEach(() => rm(folder, { recursive: true }))

function credentialFor(site: string): Credential {
  return {
    site,
    key: '0123456789abcdef0123456789abcdef',
    clientId: 'client-1',
    applicationName: 'My app',
    scopes: ['read'],
    push: false,
    api: 4,
    expiresAt: null,
  }
}

const here = credentialFor('http://localhost:4000')
const there = credentialFor('https://forum.example.com')

describe('CredentialFile', () => {
  test('holds nothing before the first key', async () => {
    assert.deepEqual(await file.list(), [])
    assert.equal(await file.find(), undefined)
    assert.equal(await file.credential('localhost:4000'), undefined)
  })

  test('keeps keys for several sites; the last one is the default', async () => {
    await file.save(there, { username: 'maria' })
    await file.save(here)
    assert.deepEqual(await file.credential(), here)
    assert.deepEqual(await file.credential('forum.example.com'), there)
    assert.equal(await file.defaultSite(), here.site)
    assert.deepEqual(
      (await file.list()).map(({ site, username }) => [site, username]),
      [
        [here.site, null],
        [there.site, 'maria'],
      ],
    )
  })

  test('remembers that a key was revoked, and forgets the key', async () => {
    await file.save(here, { username: 'maria' })
    await file.markRevoked('localhost:4000', new Date('2026-06-01T12:00:00Z'))
    assert.equal(await file.credential(), undefined)
    assert.deepEqual(await file.find(), {
      state: 'revoked',
      site: here.site,
      username: 'maria',
      clientId: 'client-1',
      applicationName: 'My app',
      revokedAt: '2026-06-01T12:00:00.000Z',
    })
    assert.ok(!(await readFile(file.path, 'utf8')).includes(here.key))
  })

  test('forgets a site, and takes the only one that is left for the default', async () => {
    await file.save(there)
    await file.save(here)
    await file.remove(here.site)
    assert.equal(await file.defaultSite(), null)
    assert.deepEqual(await file.credential(), there)
  })

  // The file holds keys that act for the user; other accounts of the machine must not read them.
  test('is readable by its owner alone', {
    skip: process.platform === 'win32' && 'Windows has no modes',
  }, async () => {
    await file.save(here)
    assert.equal((await stat(file.path)).mode & 0o777, 0o600)
    assert.equal((await stat(dirname(file.path))).mode & 0o777, 0o700)
  })

  test('closes a file that others may read', {
    skip: process.platform === 'win32' && 'Windows has no modes',
  }, async () => {
    await file.save(here)
    await chmod(file.path, 0o644)
    await file.find()
    assert.equal((await stat(file.path)).mode & 0o777, 0o600)
  })

  test('replaces the file as a whole, and leaves nothing beside it', async () => {
    await file.save(here)
    const { ino } = await stat(file.path)
    await file.save(there)
    assert.notEqual((await stat(file.path)).ino, ino)
    assert.deepEqual(await readdir(dirname(file.path)), ['credentials.json'])
  })

  test('writes through a link', async () => {
    const target = join(folder, 'elsewhere.json')
    await new CredentialFile({ path: target }).save(here)
    const path = join(folder, 'link.json')
    await symlink(target, path)
    await new CredentialFile({ path }).save(there)
    assert.equal((await new CredentialFile({ path: target }).list()).length, 2)
  })

  for (const damaged of [
    '',
    '{"version":1',
    '{"version":2,"sites":{}}',
    '{"version":1,"defaultSite":null,"sites":{"a":{}}}',
  ]) {
    test(`refuses a damaged file: ${damaged || 'an empty one'}`, async () => {
      const path = join(folder, 'damaged.json')
      await writeFile(path, damaged)
      const broken = new CredentialFile({ path })
      await assert.rejects(broken.find(), { reason: 'credential_file_unreadable', message: /is damaged/ })
      await assert.rejects(broken.save(here), { reason: 'credential_file_unreadable' })
      assert.equal(await readFile(path, 'utf8'), damaged, 'what may be mended is not written over')
    })
  }

  test('lies in the user’s configuration folder', () => {
    const before = process.env.XDG_CONFIG_HOME
    process.env.XDG_CONFIG_HOME = '/config'
    try {
      assert.equal(new CredentialFile().path, '/config/hallpass/credentials.json')
      assert.equal(new CredentialFile({ application: 'mine' }).path, '/config/mine/credentials.json')
    } finally {
      if (before === undefined) delete process.env.XDG_CONFIG_HOME
      else process.env.XDG_CONFIG_HOME = before
    }
  })
})
