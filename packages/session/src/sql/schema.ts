import { FST_RSP_OPTION_INVALID } from '@respite/redis'
import { inspect } from 'node:util'
import { FST_RSP_SESSION_SCHEMA } from '../errors.ts'
import type { SqlDatabase } from './database.ts'
import { type Dialect, mysql, postgres, sqlite } from './dialect.ts'

/** A step of the schema; steps are only ever added. */
interface Migration { readonly name: string, readonly statements: (dialect: Dialect) => readonly string[] }

const migrations: readonly Migration[] = [{
  name: '1-sessions',
  statements: ({ ascii, unicode, text, table }) => [
    `CREATE TABLE respite_owner (
  owner VARCHAR(191)${ascii} PRIMARY KEY,
  tag CHAR(22)${ascii} NOT NULL UNIQUE,
  user_id VARCHAR(191)${unicode},
  epoch BIGINT NOT NULL)${table}`,
    `CREATE TABLE respite_session (
  hash CHAR(43)${ascii} PRIMARY KEY,
  sid CHAR(16)${ascii} NOT NULL,
  owner VARCHAR(191)${ascii} NOT NULL,
  tag CHAR(22)${ascii} NOT NULL,
  user_id VARCHAR(191)${unicode},
  epoch BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  auth_ms BIGINT NOT NULL,
  issued_ms BIGINT NOT NULL,
  idle_ms BIGINT NOT NULL,
  end_ms BIGINT NOT NULL,
  next_hash CHAR(43)${ascii},
  dead SMALLINT NOT NULL,
  pend BIGINT NOT NULL,
  ver BIGINT NOT NULL,
  data ${text}${unicode} NOT NULL)${table}`,
    'CREATE INDEX respite_session_owner ON respite_session (owner, dead)',
    'CREATE INDEX respite_session_sid ON respite_session (sid)',
    'CREATE INDEX respite_session_pend ON respite_session (pend)',
    'CREATE INDEX respite_session_end ON respite_session (end_ms)'
  ]
}, {
  name: '2-remembered-sessions',
  // The idle time of a remembered session; processes of the release before leave it out.
  statements: () => ['ALTER TABLE respite_session ADD COLUMN remember_ms BIGINT']
}, {
  name: '3-data-from-redis',
  statements: ({ unicode, text }) => [
    'ALTER TABLE respite_session ADD COLUMN flushed_seq BIGINT',
    `ALTER TABLE respite_session ADD COLUMN through_vers ${text}${unicode}`
  ]
}]

const versionTable = ({ table }: Dialect) => `CREATE TABLE IF NOT EXISTS respite_session_schema (version INTEGER NOT NULL PRIMARY KEY)${table}`

const dialects = { mysql, postgres, sqlite }

/**
 * The SQL that creates the tables, for those who run migrations themselves.
 * @param database - whose SQL: `mysql` is MariaDB's too; Postgres and SQLite take the same. @default 'postgres'
 * @param from - the schema's version now; 0: there are no tables. @default 0
 * @throws FST_RSP_OPTION_INVALID
 */
export function migrationSql (database?: 'mysql' | 'postgres' | 'sqlite', from?: number): string
export function migrationSql (from?: number): string
export function migrationSql (first: keyof typeof dialects | number = 'postgres', second = 0): string {
  const [dialect, from] = typeof first === 'number' ? [postgres, first] : [Object.hasOwn(dialects, first) ? dialects[first] : undefined, second]
  if (dialect === undefined) throw new FST_RSP_OPTION_INVALID('@respite/session', 'migrationSql(database)', 'must be one of mysql, postgres, sqlite', inspect(first, { maxStringLength: 40 }))
  const steps = migrations.slice(from).flatMap((step, i) => [...step.statements(dialect), recordOf(from + i + 1)])
  return [versionTable(dialect), ...steps].map(text => `${text};\n`).join('')
}

/**
 * Creates what is missing, or refuses.
 * @throws FST_RSP_SESSION_SCHEMA when something is missing and may not be created, or the schema is newer than this package
 */
export async function prepareSchema (database: SqlDatabase, migrate: boolean): Promise<void> {
  if (migrate) await createMissing(database)
  const version = await versionOf(database)
  if (version === migrations.length) return
  const state = version === undefined ? 'missing' : `at version ${version}, this release needs ${migrations.length}`
  throw new FST_RSP_SESSION_SCHEMA(state, migrations[version ?? 0]?.name ?? 'none: a newer release made it', database.dialect.printed)
}

async function createMissing (database: SqlDatabase): Promise<void> {
  if (await versionOf(database) === migrations.length) return
  // Two processes that boot at once: the second finds the first one's work.
  await database.alone(async query => {
    await query(versionTable(database.dialect))
    const { rows } = await query('SELECT MAX(version) AS version FROM respite_session_schema')
    for (let version = Number(rows[0]?.version ?? 0); version < migrations.length; version++) {
      for (const statement of migrations[version]!.statements(database.dialect)) await query(statement)
      await query(recordOf(version + 1))
    }
  })
}

async function versionOf (database: SqlDatabase): Promise<number | undefined> {
  try {
    const { rows } = await database.query('SELECT MAX(version) AS version FROM respite_session_schema')
    return rows[0]?.version === null ? undefined : Number(rows[0]?.version)
  } catch (error) {
    if (database.dialect.isMissingTable(error as Error)) return undefined
    throw error
  }
}

const recordOf = (version: number) => `INSERT INTO respite_session_schema (version) VALUES (${version})`
