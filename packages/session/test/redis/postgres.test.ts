import { postgresStore } from '@respite/session'
import { startPostgres } from '@respite/testing'
import t from 'tap'
import { durableServerContract } from '../contracts/durable-server.ts'

t.test('over Postgres and Redis', async t => {
  await durableServerContract(t, async () => {
    const postgres = await startPostgres()
    return { store: () => postgresStore(postgres.pool), query: async text => (await postgres.query(text)).rows, stop: () => postgres.stop() }
  })
})
