import { PGlite } from '@electric-sql/pglite'
import { systemClock } from '@respite/redis'
import { startPostgres } from '@respite/testing'
import t from 'tap'
import { postgresStore } from '../../src/sql/postgres.ts'
import { migrationSql } from '../../src/sql/schema.ts'
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
