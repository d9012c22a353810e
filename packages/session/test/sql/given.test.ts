import t from 'tap'
import { migrationSql, mysqlStore, postgresStore, sqliteStore } from '@respite/session'

const refused = (what: string, give: () => unknown, message: RegExp) => t.test(what, async t => {
  t.throws(give, { code: 'FST_RSP_OPTION_INVALID', message })
})
const url = 'postgres://app:hush-hush@localhost/app'

refused('postgresStore: a URL is no pool, and its password is not shown', () => postgresStore(url as never), /^(?!.*hush).*'postgresStore\(pool\)' must be a pool of pg, or a PGlite, got string$/)
refused('postgresStore: nothing', () => postgresStore(undefined as never), /got undefined$/)
refused('postgresStore: one client cannot hold two transactions', () => postgresStore({ query () {} } as never), /got object$/)
refused('mysqlStore: a URL is no pool', () => mysqlStore(url as never), /^(?!.*hush).*must be a pool of mysql2\/promise, got string$/)
refused('mysqlStore: a pool of mysql2 with callbacks', () => mysqlStore({ getConnection () {}, execute () {}, promise () {} } as never), /must be a pool of mysql2\/promise/)
refused('sqliteStore: no path', () => sqliteStore(''), /'sqliteStore\(file\)' must be the path of a file, got ''/)
refused('sqliteStore: a URL object', () => sqliteStore(new URL('file:///a.db') as never), /must be the path of a file/)
refused('sqliteStore: a driver that is not known', () => sqliteStore('a.db', { driver: 'sqlite3' as never }), /option 'driver' .*got 'sqlite3'/)
refused('sqliteStore: a wait that is no time', () => sqliteStore('a.db', { busyMs: -1 }), /option 'busyMs' .*got -1/)
refused('sqliteStore: a misspelt option', () => sqliteStore('a.db', { busyMS: 1 } as never), /busyMS/)
refused('migrationSql: a database that is not known', () => migrationSql('oracle' as never), /must be one of mysql, postgres, sqlite, got 'oracle'/)
refused('migrationSql: the name of something else', () => migrationSql('constructor' as never), /must be one of/)
