import { refuseInvalid } from './refused.ts'

/** What titles, bodies and tags may be. Lengths are in characters (code points). */
export const textLimits = {
  titleMinimum: 5,
  titleMaximum: 255,
  rawMaximum: 32_000,
  tagMaximum: 30,
  tagsMaximum: 5,
  lineMaximum: 255,
} as const

/** A title, trimmed and on one line. Refuses with 422 one that is too short or too long. */
export function readTitle(text: string): string {
  const title = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  const length = lengthOf(title)
  if (length < textLimits.titleMinimum) {
    return refuseInvalid('title', `title is too short (minimum is ${textLimits.titleMinimum} characters)`)
  }
  if (length > textLimits.titleMaximum) {
    return refuseInvalid('title', `title is too long (maximum is ${textLimits.titleMaximum} characters)`)
  }
  return title
}

/** The body of a post, with LF line ends. Refuses with 422 one that is empty, too long, or holds a NUL. */
export function readRaw(text: string): string {
  const raw = text.replace(/\r\n?/g, '\n').trimEnd()
  // PostgreSQL cannot store a NUL in a text, and no editor means one.
  if (raw.includes('\0')) return refuseInvalid('raw', 'body holds a NUL character')
  if (raw.trim() === '') return refuseInvalid('raw', 'body is empty')
  if (lengthOf(raw) > textLimits.rawMaximum) {
    return refuseInvalid('raw', `body is too long (maximum is ${textLimits.rawMaximum} characters)`)
  }
  return raw
}

/** Why a post was edited, on one line; null when no reason is given. Refuses with 422 one that is too long. */
export function readEditReason(text: string | undefined): string | null {
  return readLine('edit_reason', text) || null
}

/** A short text on one line; empty when none is given. Refuses with 422 one of more than 255 characters. */
export function readLine(field: string, text: string | undefined): string {
  const line = (text ?? '').replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  if (lengthOf(line) <= textLimits.lineMaximum) return line
  const name = field.replaceAll('_', ' ')
  return refuseInvalid(field, `${name} is too long (maximum is ${textLimits.lineMaximum} characters)`)
}

/** A moment in milliseconds since the epoch; null when none is given. Refuses with 422 what is no date. */
export function readMoment(field: string, text: string | undefined): number | null {
  if (text === undefined || text === '') return null
  const time = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? refuseInvalid(field, `${field.replaceAll('_', ' ')} is not a date`) : time
}

/** Tags in lower case, without repeats. Refuses with 422 what is no tag, and more than five. */
export function readTags(texts: readonly string[]): readonly string[] {
  const tags = [...new Set(texts.map((text) => text.trim().toLowerCase()).filter((tag) => tag !== ''))]
  if (tags.length > textLimits.tagsMaximum) {
    return refuseInvalid('tags', `there are too many tags (maximum is ${textLimits.tagsMaximum})`)
  }
  for (const tag of tags) {
    if (!/^[\p{L}\p{N}][\p{L}\p{N}_.-]*$/u.test(tag) || lengthOf(tag) > textLimits.tagMaximum) {
      return refuseInvalid(
        'tags',
        `a tag is made of at most ${textLimits.tagMaximum} letters, digits, dots, hyphens and underscores`,
      )
    }
  }
  return tags
}

/** A title as a part of an address: lower-case ASCII letters and digits parted by hyphens. Never empty or a number. */
export function slugOf(title: string): string {
  const slug = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 80)
    .replace(/^-+|-+$/g, '')
  if (slug === '') return 'topic'
  // A slug of digits would read as an id.
  return /^\d+$/.test(slug) ? `topic-${slug}` : slug
}

/** A text folded for comparison, whatever the case of its letters. */
export function fold(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length += 1
  return length
}
