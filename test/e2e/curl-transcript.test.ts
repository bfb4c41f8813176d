import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { approve, copyPayload, openConsent } from '../approve.ts'
import { keepScreenshot, launchBrowser, openPage } from '../browser.ts'
import { type RunningServer, startServer } from '../running-server.ts'

const page = new URL('../../docs/first-key-with-curl.md', import.meta.url)
const patienceMs = 30_000

describe('docs/first-key-with-curl.md', () => {
  let server: RunningServer
  let browser: Browser
  let folder: string
  let shell: ChildProcessWithoutNullStreams

  before(async () => {
    ;[server, browser, folder] = await Promise.all([
      startServer(),
      launchBrowser(),
      mkdtemp(join(tmpdir(), 'hallpass-transcript-')),
    ])
    shell = spawn('bash', ['--noprofile', '--norc'], { cwd: folder })
  })
  after(async () => {
    shell?.kill('SIGKILL')
    await Promise.all([browser?.close(), server?.stop()])
    await rm(folder, { recursive: true, force: true })
  })

  test('its lines, typed into a shell one after the other, get a key, use it and give it back', async () => {
    const text = await readFile(page, 'utf8')
    const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block ?? '')
    const printed = new Map<string, string>()
    let address = ''

    for (const block of blocks) {
      if (block.startsWith('read -r payload')) {
        // Like a terminal: the line after the command is what the command reads.
        const { stdout } = await type(`${block}${await approvedPayload(address)}\n`)
        assert.equal(stdout, '')
        continue
      }
      const { stdout, stderr, status } = await type(block.replace('http://localhost:4000', server.baseUrl))
      assert.equal(status, 0, `${block}\n${stdout}\n${stderr}`)
      printed.set(block, stdout)
      address = /^302 (http\S+)$/m.exec(stdout)?.[1] ?? address
    }

    const outputs = [...printed.values()]
    const find = (word: string): string => outputs.find((output) => output.includes(word)) ?? ''
    assert.match(find('"key":'), /^\{"key":"[0-9a-f]{32}","nonce":"[0-9a-f]{32}","push":false,"api":4\}\n$/)
    assert.match(find('this is the answer'), /^this is the answer to our request\n$/)
    assert.match(find('"current_user"'), new RegExp(`"username":"${server.adminUsername}"`))
    assert.match(find('"topic_id"'), /nothing but a shell/)
    assert.match(find('"success"'), /"OK"/)
    assert.match(outputs.at(-1) ?? '', /"reason":"user_api_key_revoked"/)
  })

  test('without padding, the same command without -pkeyopt opens the payload', async () => {
    const parameters = [
      ['application_name', 'My older script'],
      ['client_id', 'older'],
      ['scopes', 'read'],
      ['nonce', 'abc'],
      ['public_key', await readFile(join(folder, 'public.pem'), 'utf8')],
    ]
    const payload = await approvedPayload(
      `${server.baseUrl}/user-api-key/new?${new URLSearchParams(parameters)}`,
    )
    const { stdout } = await type(
      `printf %s ${payload} | openssl base64 -d -A | openssl pkeyutl -decrypt -inkey private.pem\n`,
    )
    assert.match(stdout, /^\{"key":"[0-9a-f]{32}","nonce":"abc","push":false,"api":4\}/)
  })

  /** What the user does in step 3. */
  async function approvedPayload(address: string): Promise<string> {
    assert.notEqual(address, '', 'no line before this one printed an address with the status 302')
    const visitor = await openPage(browser)
    await openConsent(visitor, address, server)
    await approve(visitor)
    const payload = await copyPayload(visitor)
    await keepScreenshot(visitor, 'curl-payload')
    await visitor.context().close()
    return payload
  }

  /** Types lines into the shell and waits until it has run them. */
  function type(lines: string): Promise<{ stdout: string; stderr: string; status: number }> {
    return new Promise((resolve, reject) => {
      let stdout = ''
      let stderr = ''
      const stop = (): void => {
        clearTimeout(timer)
        shell.stdout.off('data', takeOutput)
        shell.stderr.off('data', takeError)
        shell.off('close', closed)
      }
      const takeOutput = (chunk: Buffer): void => {
        stdout += chunk.toString()
        const end = /\n?<<done (\d+)>>\n$/.exec(stdout)
        if (end === null) return
        stop()
        resolve({
          stdout: stdout.slice(0, end.index) + (end[0].startsWith('\n') ? '\n' : ''),
          stderr,
          status: Number(end[1]),
        })
      }
      const takeError = (chunk: Buffer): void => {
        stderr += chunk.toString()
      }
      const closed = (): void => {
        stop()
        reject(new Error(`the shell ended at:\n${lines}\n${stdout}\n${stderr}`))
      }
      const timer = setTimeout(closed, patienceMs)
      shell.stdout.on('data', takeOutput)
      shell.stderr.on('data', takeError)
      shell.on('close', closed)
      shell.stdin.write(`${lines}echo "<<done $?>>"\n`)
    })
  }
})
