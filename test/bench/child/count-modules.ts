/** Starts the server of `hallpass serve --no-forum`, says how many modules were loaded until it answered, and ends. */
import { mkdtempSync, rmSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const loaded = new Set<string>()
registerHooks({
  load(url, context, nextLoad) {
    if (url.startsWith('file:')) loaded.add(url)
    return nextLoad(url, context)
  },
})
const data = mkdtempSync(join(tmpdir(), 'hallpass-modules-'))
process.argv = [process.execPath, 'hallpass', 'serve', '--no-forum', '--port', '0', '--data', data]
process.env.HALLPASS_ADMIN_PASSWORD = 'a password of a test'

const write = process.stdout.write.bind(process.stdout)
let printed = ''
process.stdout.write = ((text: string | Uint8Array) => {
  printed += String(text)
  const port = /localhost:(\d+)/.exec(printed)?.[1]
  if (port !== undefined) {
    printed = ''
    void answered(port)
  }
  return true
}) as typeof process.stdout.write

async function answered(port: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`)
  if (answer.status !== 200) throw new Error(`/healthz answered ${answer.status}`)
  write(`modules ${loaded.size}\n`)
  rmSync(data, { recursive: true, force: true })
  process.exit()
}

await import('../../../src/cli/main.ts')
