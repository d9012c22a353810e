import { PGlite } from '@electric-sql/pglite'
import { systemClock } from '@respite/redis'
import { startPostgres, until } from '@respite/testing'
import type { Pool } from 'pg'
import t from 'tap'
import { ownerOfUser } from '../../src/owner.ts'
import { type PgPoolLike, postgresStore } from '../../src/sql/postgres.ts'
import { migrationSql } from '../../src/sql/schema.ts'
import { hashOf, newTag } from '../../src/token.ts'
import { sessionStoreContract } from '../contracts/session-store.ts'

t.test('a server, or PGlite where there is none', async t => {
  sessionStoreContract(t, async t => {
    const postgres = await startPostgres()
    t.teardown(() => postgres.stop())
    const store = postgresStore(postgres.pool)
    await Promise.all([store, postgresStore(postgres.pool), postgresStore(postgres.pool)].map(one => one.open({ migrate: true, clock: systemClock })))
    return { store, pending: true }
  })
})

t.test('PGlite, with the tables made by the printed migration', async t => {
  sessionStoreContract(t, async t => {
    const lite = await PGlite.create()
    t.teardown(() => lite.close())
    await lite.exec(migrationSql())
    const store = postgresStore(lite)
    await store.open({ migrate: false, clock: systemClock })
    return { store, pending: true }
  })
})

// Seen: it was refused with 503, where MySQL ran it again.
t.test('a log-in that Postgres ends for a deadlock is run again', async t => {
  const postgres = await startPostgres()
  t.teardown(() => postgres.stop())
  if (postgres.kind !== 'server') return t.pass('PGlite has no connections')
  const pool = postgres.pool as Pool
  const store = postgresStore(pool)
  await store.open({ migrate: true, clock: systemClock })
  const login = () => ({
    owner: ownerOfUser('max'), tag: newTag(), hash: hashOf(newTag()), sid: newTag().slice(0, 16), fields: new Map(), idleMs: 60_000, absoluteMs: 60_000, max: 1, onExceed: 'replace' as const, replaces: undefined
  })
  const [first, second, third] = [login(), login(), login()]
  await store.login(first)
  await store.login(second)
  const other = await pool.connect()
  t.teardown(() => other.release())
  // Who has waited for longest looks for a deadlock first, and ends itself.
  await other.query("SET deadlock_timeout = '60s'")
  const crossed = async (held: [string, string[]], work: () => Promise<unknown>, wanted: [string, string[]]) => {
    await other.query('BEGIN')
    await other.query(...held)
    const working = work()
    working.catch(() => undefined)
    await until('its wait for the row', async () => {
      const { rows } = await pool.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%respite_session%'")
      return rows.length > 0
    })
    await other.query(...wanted)
    await other.query('COMMIT')
    return await working
  }
  const row = (hash: string): [string, string[]] => ['UPDATE respite_session SET ver = ver + 1 WHERE hash = $1', [hash]]
  const made = await crossed(row(second.hash), () => store.login(third), ['UPDATE respite_owner SET epoch = epoch + 1 WHERE owner = $1', [third.owner.owner]])
  t.match(made, { ended: [second.sid] })
  t.equal((await store.list(third.owner.owner)).length, 1)
})

// Seen: the client's 'error' event was heard by nobody, and ended the process.
t.test('a connection that the server ends between two statements of a transaction fails the call alone', async t => {
  const postgres = await startPostgres()
  t.teardown(() => postgres.stop())
  if (postgres.kind !== 'server') return t.pass('PGlite has no connections')
  const pool = postgres.pool as Pool
  let ends = false
  const watched: PgPoolLike = {
    query: (text, values) => pool.query(text, values),
    async connect () {
      const client = await pool.connect()
      return {
        async query (text, values) {
          const result = await client.query(text, values)
          if (ends && text.startsWith('UPDATE respite_owner')) {
            const ended = new Promise(resolve => client.once('end', resolve))
            const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
            await postgres.query('SELECT pg_terminate_backend($1)', [rows[0].pid])
            await ended
          }
          return result
        },
        on: (name, listener) => client.on(name, listener),
        off: (name, listener) => client.off(name, listener),
        release: error => client.release(error)
      }
    }
  }
  const store = postgresStore(watched)
  await store.open({ migrate: true, clock: systemClock })
  const { owner } = ownerOfUser('ada')
  const times = { idleMs: 60_000, absoluteMs: 60_000 }
  await store.login({ owner: ownerOfUser('ada'), tag: newTag(), hash: hashOf('a'), sid: 'a'.repeat(16), fields: new Map(), ...times, max: 1, onExceed: 'replace', replaces: undefined })
  ends = true
  await t.rejects(store.revoke({ owner }))
  ends = false
  t.equal((await store.list(owner)).length, 1, 'rolled back')
  t.same((await store.revoke({ owner })).ended, ['a'.repeat(16)])
})

t.test('sessions from the first release go on after the migration, and are not remembered', async t => {
  const postgres = await startPostgres()
  t.teardown(() => postgres.stop())
  const store = postgresStore(postgres.pool)
  await store.open({ migrate: true, clock: systemClock })
  for (const column of ['remember_ms', 'flushed_seq', 'through_vers']) await postgres.query(`ALTER TABLE respite_session DROP COLUMN ${column}`)
  await postgres.query('DELETE FROM respite_session_schema WHERE version > 1')
  await postgres.query(`INSERT INTO respite_session (hash, sid, owner, tag, user_id, epoch, created_ms, auth_ms, issued_ms, idle_ms, end_ms, next_hash, dead, pend, ver, data)
VALUES ('old', 'old', '${ownerOfUser('ada').owner}', 'tag', 'ada', 1, 0, 0, 0, 9e12, 9e12, NULL, 0, 0, 1, '{"a":1}')`)
  await t.rejects(store.open({ migrate: false, clock: systemClock }), { message: /at version 1.*2-remembered-sessions/ })
  await store.open({ migrate: true, clock: systemClock })
  t.match(await store.find('old'.padEnd(43)), { userId: 'ada', rememberMs: undefined, flushedSeq: 0 })
  t.match(await store.list(ownerOfUser('ada').owner), [{ remembered: false }])
})
