import type { WriteStream } from 'node:tty'
import { encode } from 'uqr'

/**
 * A QR code of `text` for a terminal, two rows of it on every line; undefined where it cannot be read: `stream` is no
 * terminal, is too narrow, or has no colours. Its black and white are named, because a code in the terminal's own
 * colours is light on dark in half of all terminals, and not every reader takes that.
 */
export function qrCodeLines(text: string, stream: WriteStream): readonly string[] | undefined {
  if (!stream.isTTY || !stream.hasColors(256)) return undefined
  const { data, size } = encode(text, { ecc: 'L', border: 2 })
  if (stream.columns < size + 2) return undefined
  return Array.from({ length: Math.ceil(size / 2) }, (_, line) => {
    const upper = data[line * 2] ?? []
    const lower = data[line * 2 + 1] ?? []
    const cells = upper.map((isDark, column) => halfBlocks[`${isDark}-${lower[column] ?? false}`])
    return `\u001b[38;5;16;48;5;231m${cells.join('')}\u001b[0m`
  })
}

/** A cell shows two modules, by whether the upper and the lower one are dark. */
const halfBlocks = {
  'true-true': '█',
  'true-false': '▀',
  'false-true': '▄',
  'false-false': ' ',
} as const
