import { type Html, html } from './html.ts'

/**
 * A text of the refusal catalogue as sentences on a page: what stands between backticks becomes code, a placeholder
 * such as `{field}` a variable, sentences begin with a capital letter and the last one ends with a full stop.
 */
export function prose(text: string): Html {
  const sentences = text
    .trim()
    .replace(/^\p{Ll}/u, (letter) => letter.toUpperCase())
    .replace(/(?<=[^.]\. )\p{Ll}/gu, (letter) => letter.toUpperCase())
  const ended = /[.!?:…]$/.test(sentences) ? sentences : `${sentences}.`
  const pieces = ended.split(/(`[^`]+`|\{\w+\})/)
  return html`${pieces.map(piece)}`
}

function piece(text: string): Html | string {
  if (/^`[^`]+`$/.test(text)) return html`<code>${text.slice(1, -1)}</code>`
  if (/^\{\w+\}$/.test(text)) return html`<var>${text.slice(1, -1)}</var>`
  return text
}
