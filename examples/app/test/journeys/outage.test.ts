import { startRedis, until } from '@respite/testing'
import t from 'tap'
import { client } from './client.ts'
import { enter } from './journeys.ts'
import { secrets, serve } from './server.ts'

t.test('Redis is killed and comes back, empty', async t => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const log: Array<{ level: number, msg: string }> = []
  const { url } = await serve(t, { ...secrets, REDIS_URL: redis.url, LOG_LEVEL: 'info' }, { log: { write: line => { log.push(JSON.parse(line)) } } })
  const visitor = client(url, '192.0.2.1')
  const health = async () => (await visitor.get('/health')).json
  const before = await enter({ urls: [url] }, 'ada', '192.0.2.1')
  let during = ''
  await visitor.post('/entries', { title: 'one', content: 'before' })
  await visitor.get('/entries/1')
  t.match(await health(), { status: 'ok', redis: { state: 'up' } })

  await redis.kill()
  await until('the outage to be noticed', async () => (await health()).status !== 'ok')

  t.test('meanwhile the app says what is wrong, and stays up', async t => {
    const answer = await visitor.get('/health')
    t.match(answer, { status: 200, json: { status: 'degraded', redis: { state: 'down', reason: String }, parts: { database: { status: 'ok' } } } })
  })

  t.test('meanwhile sessions are answered by the durable store', async t => {
    t.equal((await visitor.as(before).get('/sessions')).status, 200)
    during = await enter({ urls: [url] }, 'ada', '192.0.2.2')
    t.equal((await visitor.as(during).get('/sessions')).status, 200)
    t.equal((await visitor.as(before).get('/sessions')).status, 401, 'and a log-in still ends the one before')
  })

  t.test('meanwhile limits hold, at this server\'s share', async t => {
    const logins = []
    for (let i = 0; i < 8; i++) logins.push((await client(url, '192.0.2.3').post('/login', { username: 'ada', password: 'wrong' })).status)
    t.ok(logins.includes(401) && logins.at(-1) === 429, logins.join(' '))
  })

  t.test('meanwhile entries are read and written', async t => {
    t.match(await visitor.put('/entries/1', { title: 'one', content: 'during' }), { status: 200 })
    t.match(await visitor.get('/entries/1'), { status: 200, json: { content: 'during' } })
    t.equal((await visitor.get('/weather?lat=1&lon=1&mock=true')).status, 200)
  })

  t.test('when it is back, so is everything; what ended meanwhile stays ended', async t => {
    await redis.restart()
    await until('health to be ok again', async () => (await health()).status === 'ok')
    t.match(await visitor.get('/entries/1'), { status: 200, json: { content: 'during' } })
    t.equal((await visitor.as(before).get('/sessions')).status, 401)
    t.equal((await visitor.as(during).get('/sessions')).status, 200)
    t.equal((await visitor.as(during).get('/ping')).status, 200)
    t.equal((await visitor.as(during).get('/ping')).status, 429)
    await until('the ping to be counted', async () => (await visitor.get('/count')).json.estimatedCount === 1)
  })

  t.test('the log tells it in a few lines, not one a request', async t => {
    const lines = log.filter(line => line.level >= 40 || /redis/i.test(line.msg))
    t.ok(lines.length >= 2 && lines.length <= 8, lines.map(line => line.msg).join('\n'))
  })
})

t.test('boots while Redis is away, says so, and recovers', async t => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  await redis.kill()
  const { url } = await serve(t, { ...secrets, REDIS_URL: redis.url })
  const visitor = client(url, '192.0.2.1')
  t.match(await visitor.get('/health'), { status: 200, json: { status: 'degraded' } })
  const token = await enter({ urls: [url] }, 'ada', '192.0.2.1')
  t.equal((await visitor.as(token).get('/sessions')).status, 200)
  await redis.restart()
  await until('health to be ok', async () => (await visitor.get('/health')).json.status === 'ok')
  t.equal((await visitor.as(token).get('/ping')).status, 200)
})
