import { FST_RSP_SESSION_SCHEMA } from '../errors.ts'
import type { SqlDatabase } from './database.ts'

/** A step of the schema; steps are only ever added. */
interface Migration { readonly name: string, readonly statements: readonly string[] }

const migrations: readonly Migration[] = [{
  name: '1-sessions',
  statements: [
    `CREATE TABLE respite_owner (
  owner VARCHAR(191) PRIMARY KEY,
  tag CHAR(22) NOT NULL UNIQUE,
  user_id VARCHAR(191),
  epoch BIGINT NOT NULL)`,
    `CREATE TABLE respite_session (
  hash CHAR(43) PRIMARY KEY,
  sid CHAR(16) NOT NULL,
  owner VARCHAR(191) NOT NULL,
  tag CHAR(22) NOT NULL,
  user_id VARCHAR(191),
  epoch BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  auth_ms BIGINT NOT NULL,
  issued_ms BIGINT NOT NULL,
  idle_ms BIGINT NOT NULL,
  end_ms BIGINT NOT NULL,
  next_hash CHAR(43),
  dead SMALLINT NOT NULL,
  pend BIGINT NOT NULL,
  ver BIGINT NOT NULL,
  data TEXT NOT NULL)`,
    'CREATE INDEX respite_session_owner ON respite_session (owner, dead)',
    'CREATE INDEX respite_session_sid ON respite_session (sid)',
    'CREATE INDEX respite_session_pend ON respite_session (pend)',
    'CREATE INDEX respite_session_end ON respite_session (end_ms)'
  ]
}]

const versionTable = 'CREATE TABLE IF NOT EXISTS respite_session_schema (version INTEGER NOT NULL PRIMARY KEY)'

/**
 * The SQL that creates the tables, for those who run migrations themselves; Postgres and SQLite take the same.
 * @param from - the schema's version now; 0: there are no tables
 */
export function migrationSql (from = 0): string {
  return [versionTable, ...migrations.slice(from).flatMap((step, i) => [...step.statements, recordOf(from + i + 1)])].map(text => `${text};\n`).join('')
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
  throw new FST_RSP_SESSION_SCHEMA(state, migrations[version ?? 0]?.name ?? 'none: a newer release made it')
}

async function createMissing (database: SqlDatabase): Promise<void> {
  if (await versionOf(database) === migrations.length) return
  await database.transaction(async query => {
    // Two processes that boot at once: the second finds the first one's work.
    if (database.migrationLock !== undefined) await query(database.migrationLock)
    await query(versionTable)
    const { rows } = await query('SELECT MAX(version) AS version FROM respite_session_schema')
    for (let version = Number(rows[0]?.version ?? 0); version < migrations.length; version++) {
      for (const statement of migrations[version]!.statements) await query(statement)
      await query(recordOf(version + 1))
    }
  })
}

async function versionOf (database: SqlDatabase): Promise<number | undefined> {
  try {
    const { rows } = await database.query('SELECT MAX(version) AS version FROM respite_session_schema')
    return rows[0]?.version === null ? undefined : Number(rows[0]?.version)
  } catch (error) {
    if (isMissingTable(error)) return undefined
    throw error
  }
}

const recordOf = (version: number) => `INSERT INTO respite_session_schema (version) VALUES (${version})`

function isMissingTable (error: unknown): boolean {
  const { code, message } = error as { code?: string, message?: string }
  return code === '42P01' || /no such table/.test(message ?? '')
}
