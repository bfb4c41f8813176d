/** Numbers as they stand in the table. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** Such as `21,300/s`. */
export function perSecond(value: number): string {
  return `${whole.format(Number(value.toPrecision(3)))}/s`
}

/** A number with three significant digits, such as `1,230`, `12.3` or `0.123`. */
export function short(value: number): string {
  if (value === 0) return '0'
  return Math.abs(value) >= 100
    ? whole.format(Number(value.toPrecision(3)))
    : String(Number(value.toPrecision(3)))
}

/** Such as `10,000,000`. */
export function count(value: number): string {
  return whole.format(value)
}
