import type { MarkdownIt, StateBlock } from 'markdown-it'

/** Where a quotation comes from, as its author wrote it; nothing of it is checked here. */
export interface Quote {
  readonly username: string
  /** Undefined when the quotation names a person only. */
  readonly postNumber: number | undefined
  readonly topicId: number | undefined
}

/**
 * Teaches Markdown the quotation that forum clients write: a line `[quote="name, post:1, topic:2"]`, what is quoted,
 * and a line `[/quote]`. Tells `env.quote` of each one that has an end.
 */
export function quotePlugin(markdown: MarkdownIt): void {
  markdown.block.ruler.before('fence', 'quote', quoteRule, {
    alt: ['paragraph', 'reference', 'blockquote', 'list'],
  })
}

const opening = /^\[quote(?:="([^"\n]{0,200})")?\]$/
const closing = '[/quote]'

function quoteRule(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const start = opening.exec(lineAt(state, startLine))
  if (start === null) return false
  const end = findEnd(state, startLine, endLine)
  if (end === undefined) return false
  if (silent) return true

  const quote = parseQuote(start[1])
  const report: unknown = state.env.quote
  if (quote !== undefined && typeof report === 'function') report(quote)

  const outer = { lineMax: state.lineMax, parentType: state.parentType }
  const open = state.push('quote_open', 'aside', 1)
  open.attrSet('class', 'quote')
  open.block = true
  open.map = [startLine, end]
  if (quote !== undefined) {
    const header = state.push('quote_header', 'header', 0)
    header.content = quote.username
  }
  const inner = state.push('quote_body_open', 'blockquote', 1)
  inner.block = true
  state.parentType = 'blockquote'
  state.lineMax = end
  state.md.block.tokenize(state, startLine + 1, end)
  state.push('quote_body_close', 'blockquote', -1).block = true
  state.push('quote_close', 'aside', -1).block = true
  state.lineMax = outer.lineMax
  state.parentType = outer.parentType
  state.line = end + 1
  return true
}

function lineAt(state: StateBlock, line: number): string {
  const start = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0)
  return state.src.slice(start, state.eMarks[line] ?? start).trimEnd()
}

/**
 * The line that closes the quotation opened at `startLine`, past those nested in it. The pairs of a text are matched
 * once and remembered: to search from each opening line anew would let a text of openings alone cost its square.
 */
function findEnd(state: StateBlock, startLine: number, endLine: number): number | undefined {
  const known = state.env[pairsKey]
  const pairs = known instanceof Map ? known : matchPairs(state)
  state.env[pairsKey] = pairs
  const end: unknown = pairs.get(startLine)
  return typeof end === 'number' && end < endLine ? end : undefined
}

const pairsKey = Symbol('quote pairs')

function matchPairs(state: StateBlock): Map<number, number> {
  const pairs = new Map<number, number>()
  const open: number[] = []
  for (let line = 0; line < state.bMarks.length - 1; line += 1) {
    const text = lineAt(state, line)
    if (opening.test(text)) open.push(line)
    else if (text === closing) {
      const start = open.pop()
      if (start !== undefined) pairs.set(start, line)
    }
  }
  return pairs
}

function parseQuote(attribution: string | undefined): Quote | undefined {
  const [username, ...rest] = (attribution ?? '').split(',').map((part) => part.trim())
  if (username === undefined || username === '') return undefined
  const numbers = new Map(
    rest.map((part) => part.split(':').map((side) => side.trim())).map(([k, v]) => [k, v]),
  )
  return { username, postNumber: numberIn(numbers.get('post')), topicId: numberIn(numbers.get('topic')) }
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined
}
