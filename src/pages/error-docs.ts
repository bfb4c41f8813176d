import { type Reason, refusalBody, refusalCatalogue, type WireErrorType } from '../protocol/errors.ts'
import { type Html, html } from './html.ts'
import { layout } from './layout.ts'
import { errorDocsPath } from './paths.ts'
import { prose } from './prose.ts'

/** The reference of one reason, made from the catalogue. What a refusal fills in stands as `{name}`. */
export function errorDocsPage(reason: Reason): Html {
  const entry = entryOf(reason)
  const body = html`<article class="reference">
<nav class="trail" aria-label="Where you are"><a href="${errorDocsPath}">Error reference</a></nav>
<h1 class="reason-name"><code>${reason}</code></h1>
<p class="lead">${prose(entry.message)}</p>
<h2>How to mend it</h2>
<p>${prose(entry.remedy)}</p>
<h2>The answer</h2>
<p>HTTP status <strong>${entry.status}</strong> (${statusNames[entry.status] ?? 'refused'})${
    entry.errorType === undefined ? ', without an ' : ', '
  }<code>error_type</code>${entry.errorType === undefined ? null : html` <code>${entry.errorType}</code>`}. Match on <code>reason</code>, which never changes; the texts may.</p>
<pre class="example example--wrapping"><code>${sample(reason)}</code></pre>
${related(reason)}
</article>`
  return layout({ siteTitle: 'Hallpass', title: reason, width: 'wide' }, body)
}

/** All reasons, by the status of their answers. */
export function errorDocsIndexPage(): Html {
  const statuses = [...new Set(reasons.map((reason) => entryOf(reason).status))].sort((a, b) => a - b)
  const body = html`<article class="reference">
<header class="page-head">
<h1>Error reference</h1>
<p class="lead">When Hallpass refuses something, its answer carries a <code>reason</code> that never changes. Here is what each one means and how to mend it.</p>
</header>
${statuses.map(
  (status) => html`<section aria-labelledby="status-${status}">
<h2 id="status-${status}"><span class="status-number">${status}</span> ${statusNames[status] ?? ''}</h2>
<ul class="reasons">
${reasons.filter((reason) => entryOf(reason).status === status).map(line)}</ul>
</section>
`,
)}</article>`
  return layout({ siteTitle: 'Hallpass', title: 'Error reference', width: 'wide' }, body)
}

interface Entry {
  readonly status: number
  readonly errorType?: WireErrorType
  readonly message: string
  readonly remedy: string
  readonly wire?: string
}

const reasons = Object.keys(refusalCatalogue) as Reason[]

const statusNames: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Cannot be processed',
  429: 'Too many requests',
  500: 'Fault of the server',
  503: 'Not available',
}

function entryOf(reason: Reason): Entry {
  return refusalCatalogue[reason]
}

function line(reason: Reason): Html {
  return html`<li><a href="${errorDocsPath}/${reason}"><code>${reason}</code></a> <span>${prose(entryOf(reason).message)}</span></li>
`
}

/** The answer's body with the placeholders left in it. */
function sample(reason: Reason): string {
  const { status, errorType, message, remedy, wire = '' } = entryOf(reason)
  const names = [...`${message} ${remedy} ${wire}`.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const details = Object.fromEntries(names.map((name) => [name, numbers[name] ?? `{${name}}`]))
  const body = refusalBody(
    { reason, details, status, errorType, message, remedy },
    `https://…${errorDocsPath}`,
  )
  return JSON.stringify(body, null, 2)
}

/** What is a number in the answer's `extras` is one in the sample. */
const numbers: Readonly<Record<string, number>> = { wait_seconds: 30 }

/** Reasons whose names begin alike are about the same thing. */
function related(reason: Reason): Html | null {
  const family = reason.split('_')[0]
  const others = reasons.filter((other) => other !== reason && other.split('_')[0] === family)
  if (others.length === 0) return null
  return html`<h2>Near it</h2>
<ul class="reasons">
${others.map(line)}</ul>`
}
