import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import { encode } from 'uqr'
import { qrCodeLines } from '../../src/cli/qr-code.ts'

const link = 'https://forum.example.com/user-api-key/activate?request=ABCD2345'

function terminal(change: { isTTY?: boolean; columns?: number; colors?: boolean } = {}): WriteStream {
  const { isTTY = true, columns = 80, colors = true } = change
  return { isTTY, columns, hasColors: () => colors } as unknown as WriteStream
}

describe('qrCodeLines', () => {
  test('draws every module, two rows on a line', () => {
    const { data, size } = encode(link, { ecc: 'L', border: 2 })
    const lines = (qrCodeLines(link, terminal()) ?? []).map(stripVTControlCharacters)
    const rows = lines.flatMap((line) => [
      [...line].map((cell) => cell === '█' || cell === '▀'),
      [...line].map((cell) => cell === '█' || cell === '▄'),
    ])
    assert.deepEqual(rows.slice(0, size), data)
    assert.ok(!rows.slice(size).flat().includes(true))
  })

  test('names its colours on every line, and puts them back', () => {
    for (const line of qrCodeLines(link, terminal()) ?? assert.fail('not drawn')) {
      assert.ok(line.startsWith('\u001b[38;5;16;48;5;231m'))
      assert.ok(line.endsWith('\u001b[0m'))
    }
  })

  test('draws nothing where nobody could read it', () => {
    assert.equal(qrCodeLines(link, terminal({ isTTY: false })), undefined)
    assert.equal(qrCodeLines(link, terminal({ columns: 30 })), undefined)
    assert.equal(qrCodeLines(link, terminal({ colors: false })), undefined)
  })
})
