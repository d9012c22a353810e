import { join } from 'node:path'
import t from 'tap'
import { SqliteDatabase } from '../../src/sql/sqlite.ts'
import { SqliteThread } from '../../src/sql/sqlite-thread.ts'

const driver = new URL('./ending-driver.mjs', import.meta.url).href

t.test('a transaction whose worker ends is not gone on with in the next worker', async t => {
  const thread = new SqliteThread({ file: join(t.testdir(), 'sessions.db'), driver })
  const database = new SqliteDatabase(thread, 2_000)
  t.teardown(() => database.close())
  await database.query('CREATE TABLE t (a INTEGER)')
  await t.rejects(database.transaction(async query => {
    await query('INSERT INTO t VALUES (1)')
    await t.rejects(thread.run('writer', 'END'), { code: 'FST_RSP_SESSION_WORKER' })
    t.same((await database.query('SELECT a FROM t')).rows, [], 'the next worker runs')
    await query('INSERT INTO t VALUES (2)')
  }), { code: 'FST_RSP_SESSION_WORKER' })
  t.same((await database.query('SELECT a FROM t')).rows, [])
  await database.transaction(async query => { await query('INSERT INTO t VALUES (3)') })
  t.same((await database.query('SELECT a FROM t')).rows, [{ a: 3 }])
})

t.test('each worker is given the settings of the file', async t => {
  const thread = new SqliteThread({ file: join(t.testdir(), 'sessions.db'), driver })
  const database = new SqliteDatabase(thread, 2_000)
  t.teardown(() => database.close())
  const asked: string[] = []
  const run = thread.run.bind(thread)
  thread.run = async (...statement) => {
    asked.push(statement[1])
    return await run(...statement)
  }
  for (let worker = 0; worker < 2; worker++) {
    asked.length = 0
    await database.query('SELECT 1')
    t.match(asked.join(), /synchronous = FULL/)
    asked.length = 0
    await database.query('SELECT 1')
    t.notMatch(asked.join(), /synchronous/, 'once')
    await t.rejects(thread.run('writer', 'END'), { code: 'FST_RSP_SESSION_WORKER' })
  }
})
