/** One event of a calendar. */
export interface CalendarEvent {
  /** Names the event for ever. */
  readonly uid: string
  readonly summary: string
  readonly description: string
  readonly url: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly changedAt: number
}

/** A calendar as iCalendar text (RFC 5545): each event lasts an hour, and reminds when it begins. */
export function calendarText(name: string, events: readonly CalendarEvent[]): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Hallpass//forum//EN',
    'CALSCALE:GREGORIAN',
    `X-WR-CALNAME:${text(name)}`,
    ...events.flatMap((event) => [
      'BEGIN:VEVENT',
      `UID:${text(event.uid)}`,
      `DTSTAMP:${utc(event.changedAt)}`,
      `DTSTART:${utc(event.at)}`,
      'DURATION:PT1H',
      `SUMMARY:${text(event.summary)}`,
      `DESCRIPTION:${text(event.description)}`,
      `URL:${event.url}`,
      'BEGIN:VALARM',
      'ACTION:DISPLAY',
      `DESCRIPTION:${text(event.summary)}`,
      'TRIGGER:PT0S',
      'END:VALARM',
      'END:VEVENT',
    ]),
    'END:VCALENDAR',
  ]
  return lines.map((line) => `${folded(line)}\r\n`).join('')
}

/** RFC 5545 §3.3.11. Control characters have no place in a text. */
function text(value: string): string {
  return value
    .toWellFormed()
    .replace(/[\\;,]/g, (special) => `\\${special}`)
    .replace(/\r\n?|\n/g, '\\n')
    .replace(/\p{Cc}/gu, '')
}

function utc(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '')
}

/** No line is longer than 75 bytes; what is over goes on in the next, after a space (RFC 5545 §3.1). */
function folded(line: string): string {
  const lines: string[] = []
  let current = ''
  let length = 0
  for (const character of line) {
    const bytes = Buffer.byteLength(character)
    if (length + bytes > 75) {
      lines.push(current)
      current = ' '
      length = 1
    }
    current += character
    length += bytes
  }
  return [...lines, current].join('\r\n')
}
