/** The one page that an app's loopback address shows (RFC 8252 §7.3). */

/** What the page says: that the app has its key, or what went wrong. */
export interface LoopbackMessage {
  readonly heading: string
  /** Sentences, each a paragraph. */
  readonly lines: readonly string[]
}

/** The page, as a whole document without scripts. Escapes the texts. */
export function loopbackPage({ heading, lines }: LoopbackMessage): string {
  const paragraphs = lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(heading)}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto 0; padding: 0 1.5rem; }
h1 { font-size: 1.4rem; }
p { overflow-wrap: anywhere; }
</style>
<h1>${escapeHtml(heading)}</h1>
${paragraphs}
</html>
`
}

/** For an answer with {@link loopbackPage}: kept nowhere, framed nowhere, and telling nobody the address it is at. */
export const loopbackPageHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  Connection: 'close',
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
