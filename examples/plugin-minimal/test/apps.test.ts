import { startRedis, until } from '@respite/testing'
import t from 'tap'
import { type Ask, start } from './app.ts'

const redis = await startRedis()
t.teardown(() => redis.stop())

const rooms: Record<string, Record<string, string>> = {
  'in memory': {},
  'over Redis': { REDIS_URL: redis.url, SESSION_SECRET: 'a secret of a test: for sessions.', TRACKING_KEY: 'a secret of a test: for counting.' }
}

for (const [where, environment] of Object.entries(rooms)) {
  t.test(`redis, ${where}: health, and a message that every instance gets`, async t => {
    const apps = await Promise.all([start(t, 'redis', environment), start(t, 'redis', environment)])
    const [one] = apps as [Ask, Ask]
    await until('Redis to be there', async () => (await one('/health')).json.status === 'ok')
    // Sent again until all listen: what was published before is not kept for them.
    for (const listener of where === 'over Redis' ? apps : [one]) {
      await until('the message to arrive', async () => {
        await one('/price', { method: 'PUT', body: { cents: 1290 } })
        return (await listener('/price')).json.price?.cents === 1290
      })
    }
  })

  t.test(`cache, ${where}: the first answer is a MISS, the next a HIT`, async t => {
    const ask = await start(t, 'cache', environment)
    await until('the cache to store', async () => (await ask('/weather')).headers.get('x-cache') === 'HIT')
    t.match(await ask('/weather'), { status: 200, json: { celsius: 21 } })
    t.match(await ask('/report'), { status: 200, json: { pages: 7 } })
  })

  t.test(`invalidator, ${where}: what was cached goes with the write`, async t => {
    const ask = await start(t, 'invalidator', environment)
    t.equal((await ask('/users/1')).json, null)
    for (const name of ['Ada', 'Grace']) {
      t.strictSame((await ask('/users/1', { method: 'PUT', body: { name } })).json, { users: 1 })
      for (let i = 0; i < 2; i++) t.strictSame((await ask('/users/1')).json, { name })
    }
  })

  t.test(`ratelimit, ${where}: the second request within 5 s is refused`, async t => {
    const ask = await start(t, 'ratelimit', environment)
    t.match(await ask('/search'), { status: 200, json: { found: 3 } })
    let refused = await ask('/search')
    // Until Redis is connected a process counts by itself.
    await until('a request to be refused', async () => refused.status === 429 || (refused = await ask('/search')).status === 429)
    t.match(refused, { status: 429, json: { violated: 'burst', code: 'RATE_LIMITED' } })
    t.ok(Number(refused.headers.get('retry-after')) <= 5)
  })

  t.test(`session, ${where}: a log-in ends the one before it, a log-out ends it`, async t => {
    const ask = await start(t, 'session', environment)
    await until('a log-in to be possible', async () => (await ask('/login/ada', { method: 'POST' })).status === 200)
    const logIn = async () => (await ask('/login/ada', { method: 'POST' })).headers.getSetCookie()[0]!.split(';')[0]!
    const [first, second] = [await logIn(), await logIn()]
    const me = (cookie: string) => ask('/me', { headers: { cookie } })
    t.match(await me(second), { status: 200, json: { user: 'ada' } })
    t.equal((await me(first)).status, 401)
    t.strictSame((await ask('/logout', { method: 'POST', headers: { cookie: second } })).json, {})
    t.equal((await me(second)).status, 401)
  })

  t.test(`hll-tracking, ${where}: one caller is one, however often he calls`, async t => {
    const ask = await start(t, 'hll-tracking', environment)
    for (let i = 0; i < 3; i++) await ask('/ping')
    await until('the calls to be counted', async () => (await ask('/top')).json[0]?.count === 3)
    t.match((await ask('/count')).json, { value: 1, exact: true })
  })
}
