import { InvalidArgumentError } from 'commander'

/**
 * The seconds in a length of time as people write it on a command line: `45s`, `10m`, `12h`, `30d`, `2w`; a bare number
 * is seconds. @throws InvalidArgumentError for anything else, and for nothing at all
 */
export function parseDuration(text: string): number {
  const [, count = '', unit = 's'] = /^(\d{1,9})([smhdw])?$/.exec(text.trim()) ?? []
  const seconds = Number(count) * (secondsIn[unit] ?? 0)
  if (!(seconds > 0)) throw new InvalidArgumentError('write it as 45s, 10m, 12h, 30d or 2w.')
  return seconds
}

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
