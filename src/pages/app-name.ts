import { type Html, html } from './html.ts'

/** How many characters of an app's name are shown. */
const shownCharacters = 80

/**
 * An app's name as a person may safely read it. The name is free text from a stranger, so what could disturb or
 * imitate the text around it is taken out: control characters, marks that turn the direction of writing around,
 * invisible characters, piles of accents, line breaks. Past 80 characters it ends in an ellipsis. Never empty.
 */
export function readableName(name: string): string {
  const calm = name
    .normalize('NFC')
    .replace(/\s+/gu, ' ')
    // These draw nothing, and some of them (U+202E) rearrange what stands next to them. The two joiners may stay:
    // emoji, Persian and the scripts of India need them.
    .replace(/(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u115F\u1160\u3164\uFFA0]/gu, '')
    // Four marks on one letter are enough for every script; more only reach into other lines.
    .replace(/(\p{M}{4})\p{M}+/gu, '$1')
    .trim()
  if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(calm)) return 'an app without a name'
  const characters = [...new Intl.Segmenter('en').segment(calm)]
  if (characters.length <= shownCharacters) return calm
  const kept = characters.slice(0, shownCharacters).map(({ segment }) => segment)
  return `${kept.join('').trimEnd()}…`
}

/** The name in quotation marks, kept apart from the text around it whatever its direction of writing. */
export function quotedName(name: string): Html {
  // A quotation mark inside could end ours, and what follows it would seem to be said by us.
  const inside = readableName(name).replace(/["“”„‟«»＂]/gu, '’')
  const long = inside.length > 32 ? ' app-name--long' : ''
  return html`<span class="app-name${long}">“<bdi>${inside}</bdi>”</span>`
}
