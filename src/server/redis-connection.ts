/** Connections to Redis, as far as limits need them. The client is loaded only where Redis is used. */
import type { RedisClientType } from '@redis/client'

export type RedisConnection = Pick<RedisClientType, 'destroy' | 'sendCommand'>

/** How long Redis may take to accept a connection, in milliseconds. */
const connectTimeoutMs = 2000

/**
 * Connects once. `onLost` is called when the connection has gone, if it was there.
 *
 * @throws what kept it from being made
 */
export async function connectToRedis(
  url: string,
  onLost: (cause: unknown) => void,
): Promise<RedisConnection> {
  const { createClient } = await import('@redis/client')
  const client = createClient({
    url,
    name: 'hallpass-limits',
    // Who connects again, and when, is decided in one place, for both connections together.
    socket: { reconnectStrategy: false, connectTimeout: connectTimeoutMs },
    disableOfflineQueue: true,
  })
  let cause: unknown = new Error('the connection was closed')
  client.on('error', (error: unknown) => {
    cause = error
  })
  client.on('end', () => onLost(cause))
  client.on('error', (error: unknown) => onLost(error))
  try {
    await client.connect()
  } catch (error) {
    if (client.isOpen) client.destroy()
    throw error
  }
  // A process ends though it is connected.
  client.unref()
  return client as unknown as RedisConnection
}

/**
 * What `promise` comes to, if that is within `ms`.
 *
 * @throws an Error that says that Redis did not answer
 */
export async function answeredWithin<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`redis did not answer within ${ms} ms`)), ms)
  timer.unref()
  try {
    return await Promise.race([promise, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
