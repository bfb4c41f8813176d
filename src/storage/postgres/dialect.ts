import { CompiledQuery, PostgresDialect, type PostgresDialectConfig, PostgresDriver } from 'kysely'

/** Kysely's own PostgreSQL dialect, whose writing transactions run one after another. */
export class SerialPostgresDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig

  constructor(config: PostgresDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): PostgresDriver {
    return new SerialPostgresDriver(this.#config)
  }
}

/**
 * The lock that a writing transaction takes first, and that its end lets go: `hall` and `pass` in ASCII. Advisory locks
 * are a database's own, so that Hallpass in another database of the same server does not wait.
 */
const takeLock = 'select pg_advisory_xact_lock(1751215212, 1885434739)'

class SerialPostgresDriver extends PostgresDriver {
  /** One round trip. What is read afterwards is read after the lock was taken, and sees what its last holder wrote. */
  override async beginTransaction(
    ...[connection, settings]: Parameters<PostgresDriver['beginTransaction']>
  ): Promise<void> {
    if (settings.accessMode === 'read only') return super.beginTransaction(connection, settings)
    try {
      await connection.executeQuery(CompiledQuery.raw(`begin; ${takeLock}`))
    } catch (error) {
      // Begun, perhaps, and waited in vain: the connection must not go back into the pool like that.
      await connection.executeQuery(CompiledQuery.raw('rollback')).catch(() => {})
      throw error
    }
  }
}
