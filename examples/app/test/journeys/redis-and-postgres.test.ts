import { freePort, startPostgres, startRedis } from '@respite/testing'
import t from 'tap'
import { journeys } from './journeys.ts'
import { secrets, serve } from './server.ts'

t.test('with Redis and Postgres, two servers in turn', async t => {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()])
  t.teardown(async () => {
    await redis.stop()
    await postgres.stop()
  })
  const variables = { ...secrets, DATA_DIR: t.testdir(), REDIS_URL: redis.url, WEATHER_URL: `http://127.0.0.1:${await freePort()}` }
  const open = () => postgres.url === undefined
    ? serve(t, variables, { pool: postgres.pool })
    : serve(t, { ...variables, DATABASE_URL: postgres.url })
  const servers = [await open(), await open()]

  for (const [name, journey] of Object.entries(journeys)) t.test(name, t => journey(t, { urls: servers.map(server => server.url) }))
})
