import { HallpassError } from '../../protocol/errors.ts'

/** Whether the text is meant as the address of a PostgreSQL database, right or wrong. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text)
}

/**
 * The address of a database for messages: without its password and its options.
 *
 * @throws HallpassError `configuration_invalid` for a text that is no such address; it does not repeat the text
 */
export function postgresLocation(url: string): string {
  const parsed = isPostgresUrl(url) && URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined) {
    throw new HallpassError(
      'configuration_invalid',
      'the address of the database cannot be read',
      'give one such as postgres://user:password@host:5432/name; characters such as @, / and # in a password are ' +
        'written as %40, %2F and %23',
    )
  }
  const user = parsed.username === '' ? '' : `${decodeURIComponent(parsed.username)}@`
  const host = parsed.host === '' ? (parsed.searchParams.get('host') ?? 'localhost') : parsed.host
  return `postgres://${user}${host}${parsed.pathname}`
}
