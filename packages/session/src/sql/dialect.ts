/** What databases write differently; everything else in a statement is the same for all. */
export interface Dialect {
  /** The server's clock in ms since the epoch, as an expression that is evaluated after any lock wait. */
  readonly now: string
  /** Ends an INSERT into respite_owner that leaves a row that is there as it is. */
  readonly orLeave: string
  /** Behind the type of a column that holds ids, hashes or digests: ASCII, compared by its bytes. */
  readonly ascii: string
  /** Behind the type of a column that holds any text, compared by its bytes. */
  readonly unicode: string
  /** The type of text of any length. */
  readonly text: string
  /** Behind the columns of a table. */
  readonly table: string
  /** The call that prints the migrations. */
  readonly printed: string
  /** A query failed because its table is not there. */
  isMissingTable (error: { code?: string, message?: string }): boolean
}

const standard = { orLeave: 'ON CONFLICT DO NOTHING', ascii: '', unicode: '', text: 'TEXT', table: '', printed: 'migrationSql()' }

export const postgres: Dialect = {
  ...standard,
  now: 'CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)',
  isMissingTable: ({ code }) => code === '42P01'
}

export const sqlite: Dialect = {
  ...standard,
  now: "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
  isMissingTable: ({ message }) => /no such table/.test(message ?? '')
}

/** MySQL and MariaDB. */
export const mysql: Dialect = {
  // UTC_TIMESTAMP is when the statement began: SYSDATE tells what it has waited since. The bounds are for a statement during which
  // the time zone of the session changes to or from summer time.
  now: `((TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))
+ LEAST(GREATEST(TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6)), 0), 60000000)) DIV 1000)`,
  // INSERT IGNORE takes a shared lock on the row that is there: two such transactions deadlock at their next UPDATE. This takes the exclusive one.
  orLeave: 'ON DUPLICATE KEY UPDATE epoch = epoch',
  ascii: ' CHARACTER SET ascii COLLATE ascii_bin',
  unicode: ' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  // TEXT ends at 64 KiB.
  text: 'LONGTEXT',
  table: ' ENGINE = InnoDB',
  printed: "migrationSql('mysql')",
  isMissingTable: ({ code }) => code === 'ER_NO_SUCH_TABLE'
}
