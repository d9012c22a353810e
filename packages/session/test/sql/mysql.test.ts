import { systemClock } from '@respite/redis'
import { mysqlMissing, startMysql, startProxy, until } from '@respite/testing'
import t from 'tap'
import { ownerOfUser } from '../../src/owner.ts'
import { mysqlStore } from '../../src/sql/mysql.ts'
import { migrationSql } from '../../src/sql/schema.ts'
import { hashOf, newTag } from '../../src/token.ts'
import { sessionStoreContract } from '../contracts/session-store.ts'

const open = { migrate: true, clock: systemClock }
const [mysql, printed] = [await startMysql(), await startMysql()]
t.teardown(() => Promise.all([mysql?.stop(), printed?.stop()]))
const skip = mysql === undefined || printed === undefined ? mysqlMissing : false

function login (user: string, change: { idleMs?: number, data?: string } = {}) {
  return {
    owner: ownerOfUser(user),
    tag: newTag(),
    hash: hashOf(`${user} ${newTag()}`),
    sid: newTag().slice(0, 16),
    fields: new Map(change.data === undefined ? [] : [['data', JSON.stringify(change.data)]]),
    idleMs: change.idleMs ?? 60_000,
    absoluteMs: 600_000,
    max: 1,
    onExceed: 'replace' as const,
    replaces: undefined
  }
}

t.test('three processes that boot at once', { skip }, async t => {
  sessionStoreContract(t, async () => {
    const stores = [1, 2, 3].map(() => mysqlStore(mysql!.pool))
    await Promise.all(stores.map(one => one.open(open)))
    return { store: stores[0]!, pending: true }
  })
})

t.test('the tables made by the printed migration, and a pool that counts and reads rows in its own way', { skip }, async t => {
  sessionStoreContract(t, async () => {
    await printed!.another({ multipleStatements: true }).query(migrationSql('mysql'))
    const store = mysqlStore(printed!.another({ flags: ['-FOUND_ROWS'], rowsAsArray: true, bigNumberStrings: true, supportBigNumbers: true, timezone: '+05:00' }))
    await store.open({ migrate: false, clock: systemClock })
    return { store, pending: true }
  })
})

t.test('of 100 first log-ins of one owner at once one lives, the last by epoch, and none is refused', { skip }, async t => {
  const stores = [1, 2, 3, 4].map(() => mysqlStore(mysql!.another({ connectionLimit: 8 })))
  for (const user of ['ada', 'bob', 'eve']) {
    const made = await Promise.all(Array.from({ length: 100 }, (_, i) => stores[i % stores.length]!.login(login(user))))
    t.equal(made.flatMap(one => one.ended).length, 99)
    const [rows] = await mysql!.pool.query('SELECT s.epoch = o.epoch AS last FROM respite_session s JOIN respite_owner o ON o.owner = s.owner WHERE s.dead = 0 AND o.user_id = ?', [user])
    t.same(rows, [{ last: 1 }])
  }
})

t.test('log-ins, saves, revokes, confirmations and purges at once: none is refused for a deadlock', { skip }, async t => {
  const stores = [1, 2].map(() => mysqlStore(mysql!.another({ connectionLimit: 8 })))
  const work = Array.from({ length: 300 }, async (_, i) => {
    const store = stores[i % 2]!
    const asked = login(`user ${i % 7}`, { idleMs: i % 3 === 0 ? 1 : 60_000 })
    await store.login(asked)
    await store.save({ hash: asked.hash, set: new Map([['n', String(i)]]), deleted: [], conflict: 'merge', loaded: 1, maxBytes: 1_000 })
    await store.purge(100)
    const { dead } = await store.revoke({ owner: asked.owner.owner })
    await store.confirm(dead.map(row => row.hash), [])
  })
  t.same((await Promise.allSettled(work)).filter(one => one.status === 'rejected'), [])
})

t.test('a log-in and a confirmation that InnoDB ends in favour of another transaction are run again', { skip }, async t => {
  const { pool } = mysql!
  const store = mysqlStore(pool)
  const [first, second, third] = [login('max'), login('max'), login('max')]
  await store.login(first)
  await store.login(second)
  const other = await pool.getConnection()
  t.teardown(() => other.destroy())
  // The one that has changed least is ended.
  const heavily = async () => {
    await other.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED')
    await other.query('START TRANSACTION')
    for (let i = 0; i < 20; i++) await other.query('INSERT INTO respite_owner (owner, tag, user_id, epoch) VALUES (?, ?, ?, 0)', [newTag(), newTag(), 'heavy'])
  }
  const crossed = async (held: [string, string], work: () => Promise<unknown>, wanted: [string, string]) => {
    await heavily()
    await other.query(...held)
    const working = work()
    // Its end is awaited after the other's.
    working.catch(() => undefined)
    await until('its wait for the row', async () => {
      // The table is renewed only when nobody has read it for 0.1 s.
      await pool.query('SELECT SLEEP(0.2)')
      const [rows] = await pool.query(`SELECT 1 FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
WHERE t.trx_state = 'LOCK WAIT' AND p.db = DATABASE()`)
      return (rows as unknown[]).length > 0
    })
    await other.query(...wanted)
    await other.query('COMMIT')
    return await working
  }
  const row = (hash: string): [string, string] => ['UPDATE respite_session SET ver = ver + 1 WHERE hash = ?', hash]
  const made = await crossed(row(second.hash), () => store.login(third), ['UPDATE respite_owner SET epoch = epoch + 1 WHERE owner = ?', third.owner.owner])
  t.match(made, { ended: [second.sid] })
  const [one, last] = [first.hash, second.hash].sort() as [string, string]
  await crossed(row(last), () => store.confirm([one, last], []), row(one))
  t.same(await store.pending(10_000).then(rows => rows.filter(row => row.hash === one || row.hash === last)), [])
})

t.test('a touch that waited for the row beyond its end brings nothing back', { skip }, async t => {
  const store = mysqlStore(mysql!.pool)
  const asked = login('zoe', { idleMs: 3_000 })
  const holder = await mysql!.pool.getConnection()
  await store.login(asked)
  await holder.query('START TRANSACTION')
  const [held] = await holder.query('UPDATE respite_session SET ver = ver + 1 WHERE hash = ? AND idle_ms > UNIX_TIMESTAMP(NOW(3)) * 1000', [asked.hash])
  t.equal((held as { affectedRows: number }).affectedRows, 1)
  const touched = store.touch(asked.hash, 60_000)
  await until('the end of the row', async () => {
    const [rows] = await mysql!.pool.query('SELECT 1 FROM respite_session WHERE hash = ? AND idle_ms < UNIX_TIMESTAMP(NOW(3)) * 1000', [asked.hash])
    return (rows as unknown[]).length === 1
  })
  await holder.query('COMMIT')
  holder.release()
  t.equal(await touched, undefined)
})

t.test('connections that break end their calls, not the process, and the next call has a new one', { skip }, async t => {
  const proxy = await startProxy(mysql!.port)
  t.teardown(() => proxy.stop())
  const store = mysqlStore(mysql!.another({ host: '127.0.0.1', port: proxy.port, connectionLimit: 2 }))
  const asked = login('kim')
  await store.login(asked)
  const holder = await mysql!.pool.getConnection()
  t.teardown(() => holder.destroy())
  await holder.query('START TRANSACTION')
  await holder.query('SELECT 1 FROM respite_owner WHERE owner = ? FOR UPDATE', [asked.owner.owner])
  // Both connections are taken by what waits for the row.
  const waiting = [store.login(login('kim')), store.revoke({ owner: asked.owner.owner })].map(one => one.then(() => 'done', (error: { code: string }) => error.code))
  await until('both to wait', async () => {
    const [rows] = await mysql!.pool.query("SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'UPDATE respite_owner%'")
    return (rows as unknown[]).length === 2
  })
  proxy.cut()
  for (const code of await Promise.all(waiting)) t.match(code, /^(PROTOCOL_CONNECTION_LOST|ECONNRESET|EPIPE)$/)
  await holder.query('COMMIT')
  t.match(await store.find(asked.hash), { sid: asked.sid })
  t.same((await store.revoke({ owner: asked.owner.owner })).ended, [asked.sid])
})

t.test('a migration that was cut off in its middle is finished by the next boot', { skip }, async t => {
  const store = mysqlStore(mysql!.pool)
  await store.open(open)
  await mysql!.pool.query('DROP INDEX respite_session_end ON respite_session')
  await mysql!.pool.query('DELETE FROM respite_session_schema')
  await store.open(open)
  const [rows] = await mysql!.pool.query("SHOW INDEX FROM respite_session WHERE Key_name = 'respite_session_end'")
  t.equal((rows as unknown[]).length, 1)
  await store.open({ migrate: false, clock: systemClock })
})

t.test('says that the tables are missing, and what prints them', { skip }, async t => {
  const empty = (await startMysql())!
  t.teardown(() => empty.stop())
  await t.rejects(mysqlStore(empty.pool).open({ migrate: false, clock: systemClock }), { code: 'FST_RSP_SESSION_SCHEMA', message: /missing.*1-sessions.*migrationSql\('mysql'\)/ })
})

t.test('keeps data of several MB, and text and quotes of any kind as they are', { skip }, async t => {
  const store = mysqlStore(mysql!.pool)
  const strange = 'O\'Brien \\\' " ; -- \\ 😀 \0'
  const asked = login('O\'Brien 😀 \\', { data: strange + 'ä'.repeat(4 * 1024 * 1024) })
  await store.login(asked)
  t.match(await store.find(asked.hash), { userId: 'O\'Brien 😀 \\', fields: asked.fields })
})

// Seen with autocommit off: log-outs by a single statement were never committed, and look-ups saw their connection's first snapshot for ever.
t.test('a pool whose connections would lose or mangle sessions is refused at the boot, by the name of the setting', { skip }, async t => {
  const pool = (...statements: string[]) => {
    const made = mysql!.another({})
    for (const statement of statements) made.pool.on('connection', connection => connection.query(statement))
    return made
  }
  const refused = async (made: ReturnType<typeof pool>, message: RegExp) => await t.rejects(mysqlStore(made).open(open), { code: 'FST_RSP_SESSION_MYSQL_POOL', message })
  await refused(pool('SET autocommit = 0'), /autocommit '0'.*need 1/)
  await refused(mysql!.another({ charset: 'latin1_swedish_ci' }), /character_set_client 'latin1'.*utf8mb4/)
  await mysqlStore(pool("SET sql_mode = 'ANSI'", "SET time_zone = '+05:00'")).open(open)
})
