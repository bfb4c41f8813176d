import { encode } from 'uqr'
import { type Html, html } from './html.ts'

/**
 * A QR code of `text` as inline SVG, four units of quiet around it (ISO/IEC 18004). Black on white whatever the colours
 * of the page: not every reader takes a code that is light on dark. `label` names it for who cannot see it.
 * Undefined for a text of more than {@link longest} bytes.
 */
export function qrCode(text: string, label: string): Html | undefined {
  if (new TextEncoder().encode(text).length > longest) return undefined
  const { data, size } = encode(text, { ecc: 'M', border: 4 })
  return html`<svg class="qr-code" role="img" aria-label="${label}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"></path><path fill="#000" d="${data.map(darkRuns).join('')}"></path></svg>`
}

/** In bytes. The largest code there is holds 2331 with the correction `M`, and no telephone reads one of half of that. */
const longest = 1000

/** The dark modules of a row, each run of them as one rectangle. */
function darkRuns(row: readonly boolean[], y: number): string {
  const modules = row.map((isDark) => (isDark ? '1' : '0')).join('')
  return [...modules.matchAll(/1+/g)]
    .map(({ 0: { length }, index }) => `M${index} ${y}h${length}v1h-${length}z`)
    .join('')
}
