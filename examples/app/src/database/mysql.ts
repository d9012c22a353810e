import mysql, { type Pool, type ResultSetHeader } from 'mysql2/promise'
import { type Database, databaseDown, type SqlValue } from './database.ts'
import { FST_RSP_APP_DATABASE } from '../errors.ts'

/** MySQL or MariaDB, by a pool of the app's own. @throws FST_RSP_APP_DATABASE */
export async function openMysql (url: string): Promise<Database & { pool: Pool }> {
  const pool = mysql.createPool({ uri: url, connectionLimit: 10, queueLimit: 1_000, connectTimeout: 2_000 })
  try {
    await pool.query('SELECT 1')
  } catch (cause) {
    await pool.end()
    throw Object.assign(new FST_RSP_APP_DATABASE('DATABASE_URL', (cause as Error).message), { cause })
  }
  const run = async (text: string, values: readonly SqlValue[] = []) => {
    const { sql, ordered } = inOrder(text, values)
    return (await pool.execute(sql, ordered))[0]
  }
  return {
    kind: 'mysql',
    identity: 'INTEGER AUTO_INCREMENT PRIMARY KEY',
    // Of texts every collation takes no notice of spaces at the end, or of case, or is not there in both servers.
    name: 'VARBINARY(256)',
    text: 'TEXT CHARACTER SET utf8mb4',
    pool,
    query: async <Row> (text: string, values?: readonly SqlValue[]) => await run(text, values).catch(down) as Row[],
    async insert (text, values) {
      return await run(text, values).then(made => (made as ResultSetHeader).insertId, cause => (cause as { code?: string }).code === 'ER_DUP_ENTRY' ? undefined : down(cause))
    },
    change: async (text, values) => (await run(text, values).catch(down) as ResultSetHeader).affectedRows,
    async define (statements) {
      for (const statement of statements) await pool.query(statement)
    },
    close: () => pool.end()
  }
}

function down (cause: unknown): never {
  throw databaseDown(cause)
}

/** MySQL numbers its values by where they stand; a number goes as text, which it takes in LIMIT too. */
function inOrder (text: string, values: readonly SqlValue[]): { sql: string, ordered: (string | null)[] } {
  const ordered: (string | null)[] = []
  const sql = text.replace(/\$(\d+)/g, (_, n) => {
    const value = values[Number(n) - 1]!
    ordered.push(typeof value === 'number' ? String(value) : value)
    return '?'
  })
  return { sql, ordered }
}
