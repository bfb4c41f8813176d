import { type Refusal, refusal } from '../protocol/errors.ts'

/** A parameter that is a moment, in milliseconds since the epoch. Reason: `parameter_invalid`. */
export function readTime(field: string, text: string): number | Refusal {
  const time = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  const expected = 'a date such as 2030-01-31 or 2030-01-31T12:00:00Z'
  return refusal('parameter_invalid', { field, problem: 'it is not a date', expected })
}

/** A parameter that is a whole number from 0 on. Reason: `parameter_invalid`. */
export function readCount(field: string, text: string): number | Refusal {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text)
  const problem = 'it is not a whole number'
  return refusal('parameter_invalid', { field, problem, expected: 'decimal digits' })
}
