import { freePort, startRedis } from '@respite/testing'
import t from 'tap'
import { journeys } from './journeys.ts'
import { secrets, serve } from './server.ts'

t.test('one server with Redis, and SQLite behind it', async t => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const { url } = await serve(t, { ...secrets, REDIS_URL: redis.url, WEATHER_URL: `http://127.0.0.1:${await freePort()}` })
  for (const [name, journey] of Object.entries(journeys)) t.test(name, t => journey(t, { urls: [url] }))
})
