import type { Refusal } from '../protocol/errors.ts'
import { type Html, html } from './html.ts'
import { prose } from './prose.ts'

export interface DeveloperDetailsOptions {
  /** What to press to see the details. */
  readonly summary: string
  /** The address of the reason's page in the reference. */
  readonly docsUrl: string
  /** What the server's log calls the request. */
  readonly traceId?: string
}

/** What exactly was wrong and how to mend it, for whoever built what led here. Folded, because most people did not. */
export function developerDetails(refused: Refusal, options: DeveloperDetailsOptions): Html {
  const { traceId } = options
  return html`<details class="developer">
<summary>${options.summary}</summary>
<div class="developer__body">
<dl class="plain">
<div><dt>What was wrong</dt><dd>${prose(refused.message)}</dd></div>
<div><dt>How to mend it</dt><dd>${remedy(refused)}</dd></div>
<div><dt>Reason</dt><dd><code>${refused.reason}</code></dd></div>
${traceId === undefined ? null : html`<div><dt>Request</dt><dd><code>${traceId}</code></dd></div>`}
</dl>
<p><a href="${options.docsUrl}">More about this reason<span class="hidden">: ${refused.reason}</span></a></p>
</div>
</details>`
}

/** An example address is too long for a sentence: it gets a block of its own, which scrolls. */
function remedy({ remedy: text, details }: Refusal): Html {
  const example = typeof details.example === 'string' ? details.example : ''
  const at = example === '' ? -1 : text.indexOf(example)
  if (at === -1) return prose(text)
  const before = text
    .slice(0, at)
    .trim()
    .replace(/[:,]?$/, ':')
  return html`${prose(before)}
<pre class="example" tabindex="0" role="region" aria-label="Example"><code>${example}</code></pre>
${text.slice(at + example.length)}`
}
