import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../bin/hallpass.js', import.meta.url))

/** The machine's own Node, when that is one which cannot run the sources. */
const oldNode = findOldNode()
const skip = oldNode === undefined && 'this machine has no Node older than 24 on its PATH'

function findOldNode(): string | undefined {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
  return folders
    .map((folder) => join(folder, process.platform === 'win32' ? 'node.exe' : 'node'))
    .find((path) => existsSync(path) && Number(/^v(\d+)/.exec(run(path, ['--version']).stdout)?.[1]) < 24)
}

function run(
  program: string,
  options: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(program, options, { encoding: 'utf8', timeout: 60_000 })
  return { status, stdout, stderr }
}

describe('bin/hallpass.js on a Node that is too old', { skip }, () => {
  const old = oldNode ?? ''
  let alone: string
  before(async () => {
    alone = await mkdtemp(join(tmpdir(), 'hallpass-bin-'))
    await mkdir(join(alone, 'bin'))
    await copyFile(command, join(alone, 'bin', 'hallpass.js'))
    await writeFile(join(alone, 'package.json'), '{"type":"module"}')
  })
  after(() => rm(alone, { recursive: true }))

  test('says which Node it needs and how to get it, without a stack trace', () => {
    const version = run(old, ['--version']).stdout.trim().slice(1)
    assert.deepEqual(run(old, [join(alone, 'bin', 'hallpass.js'), 'login', 'x']), {
      status: 1,
      stdout: '',
      stderr: `error: hallpass needs Node 24 or later, and this is Node ${version}
fix: install it from https://nodejs.org, or run \`npx -p node@24 -p hallpass hallpass\`
`,
    })
  })

  test('runs on the Node that the repository pins, with its arguments and its exit code', () => {
    const understood = run(old, [command, '--version'])
    assert.deepEqual([understood.status, understood.stderr], [0, ''])
    assert.match(understood.stdout, /^\d+\.\d+\.\d+\n$/)
    assert.equal(run(old, [command, 'call', 'FETCH', '/x']).status, 2)
  })

  test('passes a signal on, and ends as the command ends', async () => {
    const data = await mkdtemp(join(tmpdir(), 'hallpass-bin-data-'))
    try {
      const env = { ...process.env, HALLPASS_ADMIN_PASSWORD: 'correct horse battery' }
      const server = spawn(old, [command, 'serve', '--port', '0', '--data', data], { env, timeout: 60_000 })
      let stdout = ''
      for await (const chunk of server.stdout.setEncoding('utf8')) {
        stdout += chunk
        if (stdout.includes('ctrl-c stops it') && !server.killed) server.kill('SIGTERM')
      }
      if (server.exitCode === null) await once(server, 'exit')
      assert.equal(server.exitCode, 0)
      assert.match(stdout, /stopping\n$/)
    } finally {
      await rm(data, { recursive: true, force: true })
    }
  })
})

describe('what is compiled is kept for the next start', { skip: process.platform === 'win32' }, () => {
  let home: string
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'hallpass-bin-home-'))
  })
  after(() => rm(home, { recursive: true }))

  /** What is in the folder for it after a run with this variable. */
  async function keptBy(variables: Readonly<Record<string, string>>, cache: string): Promise<string[]> {
    const { NODE_COMPILE_CACHE: _, XDG_CACHE_HOME: __, ...rest } = process.env
    const env = { ...rest, HOME: home, ...variables }
    const { status, stderr } = spawnSync(process.execPath, [command, '--version'], { env, encoding: 'utf8' })
    assert.deepEqual([status, stderr], [0, ''])
    return readdir(join(cache, 'hallpass', 'compiled')).catch(() => [])
  }

  test('in the cache of the user', async () => {
    assert.equal((await keptBy({}, join(home, '.cache'))).length, 1)
  })

  test('in the folder for caches that the user has chosen', async () => {
    const chosen = join(home, 'chosen')
    assert.equal((await keptBy({ XDG_CACHE_HOME: chosen }, chosen)).length, 1)
  })

  test('not where Node is told to keep nothing', async () => {
    const cache = join(home, 'none')
    const variables = { XDG_CACHE_HOME: cache, NODE_DISABLE_COMPILE_CACHE: '1' }
    assert.deepEqual(await keptBy(variables, cache), [])
  })

  test('not in a folder that others can write to, nor below one, nor where a link leads to one', async () => {
    const open = join(home, 'open')
    await mkdir(join(open, 'inner', 'hallpass', 'compiled'), { recursive: true })
    await chmod(open, 0o777)
    assert.deepEqual(await keptBy({ XDG_CACHE_HOME: open }, open), [])
    assert.deepEqual(await keptBy({ XDG_CACHE_HOME: join(open, 'inner') }, join(open, 'inner')), [])
    await symlink(join(open, 'inner'), join(home, 'link'))
    assert.deepEqual(await keptBy({ XDG_CACHE_HOME: join(home, 'link') }, join(home, 'link')), [])
    await mkdir(join(home, 'own', 'hallpass', 'compiled'), { recursive: true })
    await chmod(join(home, 'own', 'hallpass', 'compiled'), 0o777)
    assert.deepEqual(await keptBy({ XDG_CACHE_HOME: join(home, 'own') }, join(home, 'own')), [])
  })
})

describe('bin/hallpass.js finds modules', () => {
  let data: string
  before(async () => {
    data = await mkdtemp(join(tmpdir(), 'hallpass-bin-'))
  })
  after(() => rm(data, { recursive: true, force: true }))

  test('of ours and of kysely without asking Node', async () => {
    // A hook that was there first hears only of what the command’s own leaves to Node.
    const hook = `
      import { registerHooks } from 'node:module'
      let left = 0
      registerHooks({
        resolve(specifier, context, next) {
          if (specifier.startsWith('.') && /[/](?:src|kysely[/]dist)[/]/.test(context.parentURL ?? '')) left += 1
          return next(specifier, context)
        },
      })
      process.on('exit', () => console.log('left to Node:', left))`
    const child = spawn(
      process.execPath,
      [
        '--import',
        `data:text/javascript,${encodeURIComponent(hook)}`,
        command,
        ...['serve', '--no-forum', '--port', '0', '--data', data],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      // Once: the second ends it at once.
      if (!child.killed && printed.includes('localhost:')) child.kill('SIGTERM')
    })
    await once(child, 'close')
    assert.match(printed, /^left to Node: 0$/m)
  })
})
