/** Waits until something is so, and fails when it is not within `ms`. The machine may be busy with other tests. */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  isRight: (value: T) => boolean = Boolean,
  ms = 20_000,
): Promise<T> {
  const deadline = Date.now() + ms
  for (;;) {
    const value = await ask()
    if (isRight(value)) return value
    if (Date.now() > deadline) throw new Error(`it stays ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
