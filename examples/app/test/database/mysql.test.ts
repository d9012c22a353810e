import { freePort, mysqlMissing, startMysql } from '@respite/testing'
import t from 'tap'
import { openMysql } from '../../src/database/mysql.ts'

const mysql = await startMysql()
t.teardown(() => mysql?.stop())
const skip = mysql === undefined ? mysqlMissing : false

t.test('a database that is not there is named by its variable, without its password', async t => {
  await t.rejects(openMysql(`mysql://user:hunter2@127.0.0.1:${await freePort()}/none`), {
    code: 'FST_RSP_APP_DATABASE', message: /^the database \(DATABASE_URL\) cannot be used: (?!.*hunter2).*ECONNREFUSED/
  })
})

t.test('values stand where their number says, however often; a name is taken by its bytes', { skip }, async t => {
  const database = await openMysql(mysql!.url)
  t.teardown(() => database.close())
  t.same(await database.query('SELECT $2 AS b, $1 AS a, $2 AS again', ['one', 'two']), [{ b: 'two', a: 'one', again: 'two' }])
  await database.define([`CREATE TABLE IF NOT EXISTS names (id ${database.identity}, name ${database.name} NOT NULL UNIQUE)`])
  const ids: (number | undefined)[] = []
  for (const name of ['ada', 'Ada', 'ada ', 'ada']) ids.push(await database.insert('INSERT INTO names (name) VALUES ($1)', [name]))
  t.same(ids, [1, 2, 3, undefined])
})

t.test('a statement that fails is a 503 with its cause', { skip }, async t => {
  const database = await openMysql(mysql!.url)
  t.teardown(() => database.close())
  const down = { code: 'FST_RSP_APP_DATABASE_DOWN', statusCode: 503, cause: { code: 'ER_NO_SUCH_TABLE' } }
  await t.rejects(database.query('SELECT * FROM absent'), down)
  await t.rejects(database.insert('INSERT INTO absent (a) VALUES ($1)', [1]), down)
  await t.rejects(database.change('DELETE FROM absent WHERE a = $1', [1]), down)
})
