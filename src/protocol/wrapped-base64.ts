/**
 * Reads Base64 whose line breaks and plus signs may both have become spaces.
 *
 * In a query that nobody percent-encoded, `+` arrives as a space, and so, often, does a line break. Which space was
 * which is not a matter of taste, because a key's DER begins with its own length:
 *
 * 1. Edges. Spaces before the first and after the last character are never plus signs: DER begins with 0x30, which
 *    Base64 writes as `M`, and an RSA key ends with the last byte of its odd exponent, whose last sextet in Base64
 *    is odd (no padding), or ends in two or four zero bits (padding): neither is 62, the plus sign.
 * 2. All or nothing. If the length comes out with all spaces left out, all were breaks; with all of them as plus signs,
 *    all were plus signs. It cannot come out both ways, since each space left out makes the Base64 one character shorter.
 * 3. Both kinds. The length says how many spaces are breaks. PEM is written in lines of one width, so the breaks stand
 *    at regular distances. When exactly one width of all that are possible puts all of its breaks on spaces, and it is
 *    one in use, the other spaces are plus signs. When several fit, nobody can tell, and nothing is guessed: a wrong
 *    guess would seal the payload for a key that nobody has. Lines of uneven width fit none, unless by the chance that
 *    plus signs stand in every place where a line of that width would end.
 *
 * Line breaks that arrived as such are certain breaks. Where spaces of both kinds stand beside them (an indented PEM,
 * say, that lost its plus signs) the regular distance is gone, and the text is not mended.
 */
import { decodeBase64 } from './base64.ts'
import { readDerHeader } from './der.ts'

/** What the Base64 may stand for. At most one reading has the length that it announces itself. */
export type Base64Readings =
  | { readonly outcome: 'readings'; readonly readings: readonly Uint8Array[]; readonly spaced: boolean }
  | { readonly outcome: 'not-base64'; readonly character: string }

/** All readings of `body` that are to be tried. `spaced`: there are spaces inside, which may have been plus signs. */
export function readWrappedBase64(body: string): Base64Readings {
  const stray = /[^A-Za-z0-9+/_=\s-]/u.exec(body)
  if (stray) return { outcome: 'not-base64', character: stray[0] }
  const trimmed = body.trim()
  const paddingStart = trimmed.indexOf('=')
  // Padding is never a plus sign's neighbour on its right, and says no more than the length does.
  const digits = (paddingStart === -1 ? trimmed : trimmed.slice(0, paddingStart)).trimEnd()
  const unbroken = digits.replace(/[^\S ]/g, '')
  const structured = unbroken === digits ? byLineWidth(digits) : undefined
  // Without plus signs, steps 2 and 3 come to the same text.
  const texts = unbroken.includes(' ')
    ? new Set([unbroken.replaceAll(' ', ''), unbroken.replaceAll(' ', '+'), structured])
    : [unbroken]
  return {
    outcome: 'readings',
    readings: [...texts].flatMap((text) => (text === undefined ? [] : (decodeBase64(text) ?? []))),
    spaced: unbroken.includes(' '),
  }
}

/** The widths of lines that are in use: 64 in PEM (RFC 7468 §2), 76 in MIME (RFC 2045 §6.8), the rest in old tools. */
const knownWidths = [60, 64, 70, 72, 76]

/** Step 3. Undefined when no width, or more than one, fits. */
function byLineWidth(text: string): string | undefined {
  const length = announcedDigits(text)
  const breakCharacters = length === undefined ? 0 : text.length - length
  if (length === undefined || breakCharacters <= 0) return undefined
  const layouts: Layout[] = []
  // A break is one space, or two where a carriage return became one as well.
  for (const breakWidth of [1, 2]) {
    if (breakCharacters % breakWidth !== 0) continue
    const breaks = breakCharacters / breakWidth
    // These are all widths that need that many breaks. There are length / breaks² of them or so, and each is tested at
    // `breaks` places: all in all fewer steps than the text has characters.
    const first = Math.ceil(length / (breaks + 1))
    const last = Math.ceil(length / breaks) - 1
    for (let width = Math.max(first, 1); width <= last; width++) {
      if (fits(text, { width, breakWidth, breaks })) layouts.push({ width, breakWidth, breaks })
      if (layouts.length > 1) return undefined
    }
  }
  const [layout] = layouts
  if (!layout || !knownWidths.includes(layout.width)) return undefined
  return linesOf(text, layout).join('').replaceAll(' ', '+')
}

interface Layout {
  /** Characters in a line. */
  readonly width: number
  /** Spaces between two lines. */
  readonly breakWidth: number
  /** How often they stand there. */
  readonly breaks: number
}

function fits(text: string, { width, breakWidth, breaks }: Layout): boolean {
  const blank = ' '.repeat(breakWidth)
  for (let line = 1; line <= breaks; line++) {
    if (!text.startsWith(blank, line * width + (line - 1) * breakWidth)) return false
  }
  return true
}

function linesOf(text: string, { width, breakWidth, breaks }: Layout): readonly string[] {
  return Array.from({ length: breaks + 1 }, (_, line) => {
    const start = line * (width + breakWidth)
    return text.slice(start, start + width)
  })
}

/** How many characters of Base64, without padding, the DER in it takes by its own account. */
function announcedDigits(text: string): number | undefined {
  // The header is over before any line is, so that a space in it can only be a plus sign.
  const start = decodeBase64(text.slice(0, 8).replaceAll(' ', '+'))
  const header = start && readDerHeader(start)
  return header && Math.ceil((header.totalLength * 4) / 3)
}
