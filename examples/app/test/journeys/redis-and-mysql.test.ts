import { freePort, mysqlMissing, startMysql, startRedis } from '@respite/testing'
import t from 'tap'
import { journeys } from './journeys.ts'
import { secrets, serve } from './server.ts'

const mysql = await startMysql()

t.test('with Redis and MySQL or MariaDB, two servers in turn', { skip: mysql === undefined ? mysqlMissing : false }, async t => {
  const redis = await startRedis()
  t.teardown(async () => {
    await redis.stop()
    await mysql!.stop()
  })
  const variables = { ...secrets, DATA_DIR: t.testdir(), REDIS_URL: redis.url, DATABASE_URL: mysql!.url, WEATHER_URL: `http://127.0.0.1:${await freePort()}` }
  const servers = [await serve(t, variables), await serve(t, variables)]

  for (const [name, journey] of Object.entries(journeys)) t.test(name, t => journey(t, { urls: servers.map(server => server.url) }))
})
