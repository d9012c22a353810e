import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { randomToken } from '@respite/redis'
import { gate, startPostgres, startRedis, until } from '@respite/testing'
import { type Where, assemble } from '../assemble.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const database = await startPostgres()
t.teardown(() => database.stop())
await database.query('CREATE TABLE users (id INT PRIMARY KEY, name TEXT NOT NULL)')
t.comment(`on a Postgres that is a ${database.kind}`)

interface Connection { query (text: string, params?: unknown[]): Promise<{ rows: Record<string, unknown>[] }> }

/** A transaction on a connection of its own. */
async function transaction<T> (work: (connection: Connection) => Promise<T>): Promise<T> {
  const { pool } = database
  if (!('connect' in pool)) return pool.transaction(connection => work(connection as Connection)) as Promise<T>
  const connection = await pool.connect()
  try {
    await connection.query('BEGIN')
    const value = await work(connection)
    await connection.query('COMMIT')
    return value
  } catch (error) {
    await connection.query('ROLLBACK')
    throw error
  } finally {
    connection.release()
  }
}

const nameOf = async (id: number) => (await database.query('SELECT name FROM users WHERE id = $1', [id])).rows[0]!.name as string

let ids = 0

/** Two apps, and a row that both have read. */
async function withRow (t: Test) {
  const where: Where = { url: server.url, keyPrefix: randomToken(), boot: 'wait' }
  const [here, there] = await Promise.all([where, where].map(async where => {
    const app = await assemble(where)
    t.teardown(() => app.close())
    await app.ready()
    return app
  })) as [FastifyInstance, FastifyInstance]
  const id = ++ids
  await database.query('INSERT INTO users VALUES ($1, $2)', [id, 'old'])
  const read = (app: FastifyInstance) => app.cache.getOrSet(`user:${id}`, () => nameOf(id), { tags: ['users'] })
  for (const app of [here, there]) t.equal(await read(app), 'old')
  return { here, there, id, read }
}

/** What another connection sees while a transaction is open: the row as it was. PGlite has one connection, so there it is taken before. */
async function seenMeanwhile (id: number): Promise<() => Promise<string>> {
  const before = await nameOf(id)
  return database.kind === 'server' ? () => nameOf(id) : async () => before
}

const ways = [['key', (id: number) => ({ keys: [`user:${id}`] })], ['tag', () => ({ tags: ['users'] })], ['pattern', () => ({ patterns: ['user:*'] })]] as const

t.test('R15: a hook inside the transaction drops too early: a reader puts the old row back, where it stays', async t => {
  const { here, there, id, read } = await withRow(t)
  const meanwhile = await seenMeanwhile(id)
  await transaction(async connection => {
    await connection.query('UPDATE users SET name = $2 WHERE id = $1', [id, 'new'])
    await here.cache.delete(`user:${id}`) // the hook
    t.equal(await there.cache.getOrSet(`user:${id}`, meanwhile), 'old')
  })
  t.equal(await nameOf(id), 'new')
  t.equal(await read(here), 'old', 'this is what mutate is for')
})

for (const [way, whatOf] of ways) {
  t.test(`R15: mutate around a real transaction, by ${way}: what a hook drops inside it, and a reader puts back, is gone when it resolves`, async t => {
    const { here, there, id, read } = await withRow(t)
    const what = whatOf(id)
    const meanwhile = await seenMeanwhile(id)
    const { value } = await here.invalidator.mutate(what, () => transaction(async connection => {
      await connection.query('UPDATE users SET name = $2 WHERE id = $1', [id, 'new'])
      await here.respite.use('invalidation').drop(what) // the hook
      t.equal(await there.cache.getOrSet(`user:${id}`, meanwhile, { tags: ['users'] }), 'old')
      t.equal(await there.cache.get(`user:${id}`), 'old', 'it is back')
      return 'committed'
    }))
    t.equal(value, 'committed')
    t.equal(await read(here), 'new')
    await until('the push has come', async () => await read(there) === 'new')
    t.equal((await there.cache.getWithTtl(`user:${id}`))?.value, 'new')
  })

  t.test(`R15: mutate around a real transaction, by ${way}: a load that read the old row before the commit never stores it after`, async t => {
    const { here, there, id, read } = await withRow(t)
    await there.cache.delete(`user:${id}`)
    const loaded = gate()
    const loading = there.cache.getOrSet(`user:${id}`, async () => {
      const name = await nameOf(id)
      await loaded.pass()
      return name
    }, { tags: ['users'] })
    await loaded.reached
    await here.invalidator.mutate(whatOf(id), () => transaction(connection => connection.query('UPDATE users SET name = $2 WHERE id = $1', [id, 'new'])))
    loaded.open()
    t.equal(await loading, 'old', 'who began before may have it')
    for (const app of [here, there]) t.equal(await read(app), 'new')
  })

  t.test(`R15: mutate around a real transaction, by ${way}: one that is rolled back leaves the row as it is, read anew`, async t => {
    const { here, there, id, read } = await withRow(t)
    await t.rejects(here.invalidator.mutate(whatOf(id), () => transaction(async connection => {
      await connection.query('UPDATE users SET name = $2 WHERE id = $1', [id, 'never'])
      await connection.query('SELECT 1 / 0')
    })), /division by zero/)
    let runs = 0
    await until('the push has come', () => there.cache.getLocal(`user:${id}`) === undefined)
    t.equal(await there.cache.getOrSet(`user:${id}`, () => { runs++; return nameOf(id) }), 'old')
    t.equal(runs, 1)
    t.equal(await read(here), 'old')
  })
}
