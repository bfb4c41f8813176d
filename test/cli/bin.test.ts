import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
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
