import { startPostgres } from '@respite/testing'
import t from 'tap'
import { client } from './client.ts'
import { enter } from './journeys.ts'
import { serve } from './server.ts'

t.test('the database goes and comes back', async t => {
  const postgres = await startPostgres()
  let down = false
  const refuse = () => Promise.reject(new Error('connection refused at 192.0.2.250'))
  const pool = new Proxy(postgres.pool, {
    get (target, name) {
      if (down && ['query', 'connect', 'transaction'].includes(String(name))) return refuse
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
  const { url } = await serve(t, {}, { pool })
  t.teardown(() => postgres.stop())
  const visitor = client(url, '192.0.2.1')
  const token = await enter({ urls: [url] }, 'ada', '192.0.2.1')
  await visitor.post('/entries', { title: 'one', content: '' })
  await visitor.get('/entries/1')

  down = true
  t.match(await visitor.get('/health'), { status: 503, json: { status: 'down', parts: { database: { status: 'down', kind: 'postgres' } } } })
  for (const answer of [
    await visitor.post('/entries', { title: 'two', content: '' }),
    await visitor.post('/login', { username: 'ada', password: 'correct horse' }),
    await visitor.post('/signup', { username: 'eve', password: 'correct horse' }),
    await visitor.as(token).get('/ping')
  ]) {
    t.match(answer, { status: 503, json: { statusCode: 503, error: 'Service Unavailable' } })
    t.notMatch(answer.text, '192.0.2.250', 'what the database said is for the log')
  }
  t.equal((await visitor.get('/entries/1')).status, 200, 'what is cached is answered')
  t.equal((await visitor.get('/weather?lat=1&lon=1&mock=true')).status, 200)

  down = false
  t.match(await visitor.get('/health'), { status: 200, json: { parts: { database: { status: 'ok' } } } })
  t.equal((await visitor.as(token).get('/ping')).status, 200)
})
