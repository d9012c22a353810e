import { join } from 'node:path'
import t from 'tap'
import { openSqlite } from '../../src/database/sqlite.ts'

t.test('a folder that cannot be used is named', async t => {
  const file = join(t.testdir({ file: '' }), 'file')
  await t.rejects(openSqlite(file), { code: 'FST_RSP_APP_DATABASE', message: new RegExp(`^the database \\(${file}/app.sqlite\\) cannot be used: `) })
})

t.test('two connections to one file see each other\'s writes, and wait for each other', async t => {
  const folder = t.testdir()
  const [one, two] = [await openSqlite(folder), await openSqlite(folder)]
  t.teardown(() => Promise.all([one.close(), two.close()]))
  await one.define([`CREATE TABLE numbers (id ${one.identity}, n INTEGER)`])
  const writes = Array.from({ length: 50 }, (_, n) => (n % 2 ? one : two).query('INSERT INTO numbers (n) VALUES ($1)', [n]))
  await Promise.all(writes)
  for (const database of [one, two]) t.same(await database.query('SELECT count(*) AS count, max(id) AS last FROM numbers'), [{ count: 50, last: 50 }])
})

t.test('values stand where their number says, however often', async t => {
  const database = await openSqlite(t.testdir())
  t.teardown(() => database.close())
  t.same(await database.query('SELECT $2 AS b, $1 AS a, $2 AS again', ['one', 'two']), [{ b: 'two', a: 'one', again: 'two' }])
})

t.test('a statement that fails is a 503 with its cause', async t => {
  const database = await openSqlite(t.testdir())
  t.teardown(() => database.close())
  await t.rejects(database.query('SELECT * FROM absent'), { code: 'FST_RSP_APP_DATABASE_DOWN', statusCode: 503, cause: { message: /no such table/ } })
})
