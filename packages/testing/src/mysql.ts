import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mysql, { type Pool, type PoolOptions } from 'mysql2/promise'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

/** A MySQL or MariaDB database of the test's own. */
export interface TestMysql {
  readonly pool: Pool
  /** Another pool on the same database; `stop` ends it too. */
  another (options: PoolOptions): Pool
  /** Of the database, with its user. */
  readonly url: string
  /** Where another process, or a proxy, finds the server. */
  readonly port: number
  stop (): Promise<void>
}

/** Why a test that needs the server is skipped. */
export const mysqlMissing = 'no MySQL or MariaDB answers (MYSQL_URL, else root without a password on 127.0.0.1:3306), and there is no /usr/sbin/mariadbd to start'

const binary = '/usr/sbin/mariadbd'

/** A server that answers, and the way to end it if it is the test's own. */
interface Server { readonly options: PoolOptions & { host: string, port: number }, end (): Promise<void> }

/**
 * Makes a database on the server of MYSQL_URL or of loopback, else on a MariaDB of its own, started in a temporary folder on
 * a free port; `stop` drops it.
 * @returns undefined where there is neither: skip the test with `mysqlMissing`
 */
export async function startMysql (): Promise<TestMysql | undefined> {
  const server = await running() ?? (existsSync(binary) ? await started() : undefined)
  if (server === undefined) return undefined
  const database = `respite_test_${randomBytes(6).toString('hex')}`
  await ask(server, `CREATE DATABASE ${database}`)
  const pools: Pool[] = []
  const another = (options: PoolOptions) => {
    const pool = mysql.createPool({ ...server.options, database, ...options })
    pools.push(pool)
    return pool
  }
  return {
    pool: another({ connectionLimit: 10 }),
    another,
    url: urlOf(server.options, database),
    port: server.options.port,
    async stop () {
      await Promise.all(pools.map(pool => pool.end()))
      await ask(server, `DROP DATABASE ${database}`)
      await server.end()
    }
  }
}

function urlOf ({ host, port, user = '', password = '' }: Server['options'], database: string): string {
  return `mysql://${encodeURIComponent(user)}${password === '' ? '' : `:${encodeURIComponent(password)}`}@${host}:${port}/${database}`
}

async function ask ({ options }: Pick<Server, 'options'>, text: string): Promise<void> {
  const connection = await mysql.createConnection(options)
  try {
    await connection.query(text)
  } finally {
    await connection.end()
  }
}

async function running (): Promise<Server | undefined> {
  const { hostname: host, port, username, password } = new URL(process.env.MYSQL_URL ?? 'mysql://root@127.0.0.1:3306')
  const options = { host, port: Number(port || 3306), user: decodeURIComponent(username), password: decodeURIComponent(password) }
  return await ask({ options: { ...options, connectTimeout: 5_000 } }, 'SELECT 1').then(() => ({ options, end: async () => undefined }), () => undefined)
}

/** A server without accounts, which needs no tables of its own for them. */
async function started (): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'respite-mysql-'))
  const port = await freePort()
  const child: ChildProcess = spawn(binary, ['--no-defaults', '--user=root', '--skip-grant-tables', `--datadir=${folder}`, '--bind-address=127.0.0.1', `--port=${port}`,
    `--socket=${join(folder, 'mysql.sock')}`, '--skip-name-resolve', '--innodb-buffer-pool-size=16M', '--innodb-log-file-size=8M'], { stdio: ['ignore', 'ignore', 'pipe'] })
  // A test that dies takes its server along.
  process.once('exit', () => child.kill('SIGKILL'))
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => { said += text })
  await until(`mariadbd on ${port}`, () => {
    if (child.exitCode !== null) throw new Error(`mariadbd ended at start: ${said.trim().split('\n').at(-1)}`)
    return said.includes('ready for connections')
  }, 60_000)
  child.stderr!.removeAllListeners('data').resume()
  return {
    options: { host: '127.0.0.1', port, user: 'root' },
    async end () {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
