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
  const parsed = isPostgresUrl(url) && !isAmbiguous(url) && URL.canParse(url) ? new URL(url) : undefined
  const user = parsed && decoded(parsed.username)
  if (parsed === undefined || user === undefined || decoded(parsed.password) === undefined) {
    throw new HallpassError(
      'configuration_invalid',
      'the address of the database cannot be read',
      'give one such as postgres://user:password@host:5432/name; characters such as @, /, #, ? and % in a password are ' +
        'written as %40, %2F, %23, %3F and %25',
    )
  }
  const mode = parsed.searchParams.get('sslmode')
  if (mode !== null && !sslModes.includes(mode)) {
    throw new HallpassError(
      'configuration_invalid',
      'the address of the database has an sslmode that there is not',
      `give one of ${sslModes.join(', ')}`,
    )
  }
  const socket = parsed.host === '' ? parsed.searchParams.get('host') : null
  const host = parsed.host === '' && socket === null ? 'localhost' : parsed.host
  const where = `postgres://${user === '' ? '' : `${user}@`}${host}${parsed.pathname}`
  return socket === null ? where : `${where}?host=${socket}`
}

/** What PostgreSQL's own programs know, and `no-verify` of the driver. */
const sslModes: readonly string[] = [
  'disable',
  'allow',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
  'no-verify',
]

/**
 * Whether a password may have been cut in two where it holds a character that means something in an address: then its rest
 * would be taken for the host, which messages name and name servers are asked for.
 */
function isAmbiguous(url: string): boolean {
  const [, ...parts] = url.split('@')
  return parts.length > 1 || url.includes('#') || /[/?].*@/.test(url.replace(/^[^:]*:\/\//, ''))
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
