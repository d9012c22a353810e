import { postgresStore } from '@respite/session'
import { startPostgres, startRedis } from '@respite/testing'
import t from 'tap'
import { secrets } from '../grounds.ts'
import { WatchedStore } from '../watched-store.ts'
import { expressApp, fastifyApp, type LibraryOptions } from './apps.ts'
import { libraryContract } from './library-contract.ts'

t.test('over Redis and Postgres', async t => {
  const [postgres, server] = [await startPostgres(), await startRedis()]
  t.teardown(() => Promise.all([postgres.stop(), server.stop()]))
  const options = (): LibraryOptions => ({ session: { secrets, durable: new WatchedStore(postgresStore(postgres.pool)).store, durableDeadline: '20s' }, redis: { url: server.url } })
  t.test('@fastify/session', async t => libraryContract(t, fastifyApp, options))
  t.test('express-session', async t => libraryContract(t, expressApp, options))
})
