import { PGlite } from '@electric-sql/pglite'
import { systemClock } from '@respite/redis'
import { startPostgres } from '@respite/testing'
import t from 'tap'
import { postgresStore } from '../../src/sql/postgres.ts'
import { migrationSql } from '../../src/sql/schema.ts'
import { ownerOfUser } from '../../src/owner.ts'
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
