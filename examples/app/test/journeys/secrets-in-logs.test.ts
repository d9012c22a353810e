import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, startRedis } from '@respite/testing'
import t from 'tap'
import { client, tokensSeen } from './client.ts'
import { journeys } from './journeys.ts'
import { secrets, serve } from './server.ts'

t.test('no log line carries a secret, at the finest level, on any journey', async t => {
  const redis = await startRedis('--requirepass', 'redis-password-hunter2')
  t.teardown(() => redis.stop())
  const REDIS_URL = redis.url.replace('redis://', 'redis://:redis-password-hunter2@')
  let log = ''
  const WEATHER_URL = `http://127.0.0.1:${await freePort()}`
  const DASHBOARD_TOKEN = 'a token of a test, board-hunter2.'
  const { url } = await serve(t, { ...secrets, REDIS_URL, WEATHER_URL, DASHBOARD_TOKEN, LOG_LEVEL: 'trace' }, { log: { write: line => { log += line } } })
  for (const [name, journey] of Object.entries(journeys)) t.test(name, t => journey(t, { urls: [url] }))

  t.test('and into the dashboard', async t => {
    const visitor = client(url, '192.0.2.201')
    t.equal((await visitor.post('/dashboard/session', { token: 'wrong-hunter2' })).status, 403)
    const { headers, status } = await visitor.post('/dashboard/session', { token: DASHBOARD_TOKEN })
    t.equal(status, 200)
    const cookie = headers.get('set-cookie')!.split(';')[0]!
    t.equal((await visitor.get('/dashboard', { cookie })).status, 200)
    tokensSeen.add(cookie.split('=')[1]!)
  })

  t.test('with Redis away', async t => {
    await redis.kill()
    const [token = ''] = tokensSeen
    const visitor = client(url, '192.0.2.200')
    await visitor.as(token).get('/ping')
    await visitor.get('/ping', { cookie: `__Host-sid=${token}; other=cookie-hunter2` })
    await visitor.post('/login', '{"username":"ada","password":"correct horse')
    await visitor.get('/health')
    t.ok(log.includes('"level":10') || log.includes('"level":20'), 'the log is at a fine level')
  })

  t.test('and the log has none of it', async t => {
    t.ok(tokensSeen.size > 5)
    const parts = [...tokensSeen].flatMap(token => [token, ...token.split('.').slice(1)])
    for (const secret of [...parts, ...Object.values(secrets), 'correct horse', 'hunter2', 'Bearer ', '__Host-sid=', '$argon2id$']) t.notOk(log.includes(secret), secret)
    t.notMatch(log, /"(authorization|cookie|set-cookie|password|sessionToken|passwordHash)":/i)
  })
})

t.test('nor do secrets made here', async t => {
  let log = ''
  const DATA_DIR = t.testdir()
  const { app } = await serve(t, { DATA_DIR, LOG_LEVEL: 'trace' }, { log: { write: line => { log += line } } })
  await app.close()
  t.match(log, 'Server listening')
  for (const name of ['session.secret', 'tracking.key']) t.notOk(log.includes(readFileSync(join(DATA_DIR, name), 'utf8').trim()), name)
})
