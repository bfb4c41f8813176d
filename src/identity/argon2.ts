import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { PasswordHasher } from '../domain/ports.ts'

const derive = promisify(argon2)

/** Cost of a hash: 19 MiB of memory, two passes, one lane (OWASP Password Storage Cheat Sheet, argon2id). */
const cost = { memory: 19_456, passes: 2, parallelism: 1 }

/** Hashes passwords with argon2id, in the PHC string format, so that each hash says how it was made. */
export const argon2Hasher: PasswordHasher = {
  async hash(password) {
    const salt = randomBytes(16)
    const tag = await derive('argon2id', { message: password, nonce: salt, tagLength: 32, ...cost })
    const parameters = `m=${cost.memory},t=${cost.passes},p=${cost.parallelism}`
    return `$argon2id$v=19$${parameters}$${unpadded(salt)}$${unpadded(tag)}`
  },

  async verify(password, hash) {
    const parts = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(hash)
    const [, memory, passes, parallelism, salt = '', tag = ''] = parts ?? []
    if (!parts) return false
    const expected = Buffer.from(tag, 'base64')
    const actual = await derive('argon2id', {
      message: password,
      nonce: Buffer.from(salt, 'base64'),
      tagLength: expected.length,
      memory: Number(memory),
      passes: Number(passes),
      parallelism: Number(parallelism),
    })
    return timingSafeEqual(actual, expected)
  },
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
