/** Arithmetic modulo an integer. None of it takes the same time for all values; whoever computes on secrets blinds them. */

/** base^exponent mod modulus, for a base and an exponent of 0 or more. */
export function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n % modulus
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus
    if (bit === '1') result = (result * base) % modulus
  }
  return result
}

/** The x with value · x ≡ 1 modulo `modulus`; undefined when there is none. */
export function modInverse(value: bigint, modulus: bigint): bigint | undefined {
  // Euclid's algorithm, extended: at every step, factor · value ≡ remainder modulo `modulus`.
  let [remainder, nextRemainder] = [modulus, value % modulus]
  let [factor, nextFactor] = [0n, 1n]
  while (nextRemainder !== 0n) {
    const quotient = remainder / nextRemainder
    ;[remainder, nextRemainder] = [nextRemainder, remainder - quotient * nextRemainder]
    ;[factor, nextFactor] = [nextFactor, factor - quotient * nextFactor]
  }
  if (remainder !== 1n) return undefined
  return factor < 0n ? factor + modulus : factor
}
