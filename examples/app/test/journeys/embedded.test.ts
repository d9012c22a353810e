import t from 'tap'
import { freePort, until } from '@respite/testing'
import { client } from './client.ts'
import { enter, journeys } from './journeys.ts'
import { serve } from './server.ts'

t.test('with embedded stores', async t => {
  const { url } = await serve(t, { WEATHER_URL: `http://127.0.0.1:${await freePort()}` })
  const start = { urls: [url] }

  for (const [name, journey] of Object.entries(journeys)) t.test(name, t => journey(t, start))

  t.test('names the limit of a minute once that is the longer wait', async t => {
    const user = client(url, '192.0.2.99').as(await enter(start, 'patient', '192.0.2.99'))
    t.equal((await user.get('/ping')).status, 200)
    await until('the second ping to be let through', async () => (await user.get('/ping')).status === 200)
    const refused = await user.get('/ping')
    t.match(refused, { status: 429, text: '{"error":"Rate limit exceeded in 1 minute period 2 time calling ping API!"}' })
  })
})

t.test('what was written is there after a restart, sessions included', async t => {
  const DATA_DIR = t.testdir()
  const first = await serve(t, { DATA_DIR })
  const token = await enter({ urls: [first.url] }, 'ada', '192.0.2.1')
  await client(first.url, '192.0.2.1').post('/entries', { title: 'kept', content: '' })
  await first.app.close()
  const second = await serve(t, { DATA_DIR })
  t.equal((await client(second.url, '192.0.2.1').as(token).get('/sessions')).status, 200)
  t.match((await client(second.url, '192.0.2.1').get('/entries')).json, { entries: [{ title: 'kept' }] })
})
