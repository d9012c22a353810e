import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgresStore, sqliteStore } from '@respite/session'
import { startPostgres } from '@respite/testing'
import pg from 'pg'

/** The durable store that the environment names: a Postgres by its URL, or a SQLite file. */
export function openDurable () {
  const { BENCH_POSTGRES_URL: url, BENCH_SQLITE_FILE: file } = process.env
  return url ? postgresStore(new pg.Pool({ connectionString: url, connectionTimeoutMillis: 2_000 })) : sqliteStore(file)
}

/**
 * A durable store of this process alone.
 * @param kind - `none`: Redis alone; `sqlite`; or `postgres`: a schema of its own on a server where one answers, else PGlite
 */
export async function startDurable (kind) {
  if (kind === 'postgres') {
    const { kind: server, pool, stop } = await startPostgres()
    return { name: server === 'server' ? 'a Postgres server' : 'PGlite', store: postgresStore(pool), stop }
  }
  if (kind === 'none') return { name: 'Redis alone', store: 'none', stop: async () => undefined }
  const folder = mkdtempSync(join(tmpdir(), 'respite-bench-'))
  return { name: 'a SQLite file', store: sqliteStore(join(folder, 'sessions.db')), stop: () => rmSync(folder, { recursive: true, force: true }) }
}
