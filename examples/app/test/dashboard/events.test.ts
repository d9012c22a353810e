import { until } from '@respite/testing'
import t from 'tap'
import { sampleFields } from '../../src/dashboard/frame.ts'
import { client } from '../journeys/client.ts'
import { enter } from '../journeys/journeys.ts'
import { serve } from '../journeys/server.ts'
import { listen } from './event-stream.ts'

t.test('tells what is kept, then each second, then what the stores say', async t => {
  const { url } = await serve(t)
  const { response, next } = await listen(t, url)
  t.match(response.headers, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'content-security-policy': /default-src 'none'/, connection: 'close' })
  t.equal(response.headers['content-encoding'], undefined)
  t.match((await next('history')).data, { resumed: false, signedIn: false, rows: Array, totals: { misses: 0, redis: { state: 'embedded', breaker: 'closed' } } })
  t.match((await next('answers')).data, { activeSessions: 0, topCallers: [], uniqueByHour: { length: 24 }, uniqueByDay: { length: 7 }, health: { status: 'ok' } })
  const { data, id } = await next('second')
  t.equal(data.row.length, sampleFields.length)
  t.match(id, /^[\w-]{16}:\d+$/)
})

t.test('the numbers are those of /metrics', async t => {
  const { url } = await serve(t)
  const visitor = client(url, '192.0.2.1')
  const user = visitor.as(await enter({ urls: [url] }, 'ada', '192.0.2.1'))
  for (let i = 0; i < 4; i++) await visitor.get('/weather?lat=52&lon=13&mock=true')
  for (let i = 0; i < 3; i++) await user.get('/ping')
  const { next } = await listen(t, url)
  const { totals } = (await next('history')).data
  const { text } = await visitor.get('/metrics')
  const metric = (line: string) => Number(new RegExp(`^${line} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  for (const [tier, hits] of [['l1', totals.hitsL1], ['l2', totals.hitsL2]]) t.equal(hits, metric(`cache_hits_total\\{cache_type="${tier}",entity_type="weather"\\}`), tier)
  t.equal(totals.misses, metric('cache_misses_total\\{cache_type="l2",entity_type="weather"\\}'))
  t.equal(totals.hitsL1 + totals.hitsL2 + totals.misses, 4)
  t.equal(totals.sessionEvents.created, metric('session_events_total\\{event="created"\\}'))
  const ping = totals.decisions.find((row: any) => row.limit === 'ping-5s')
  t.match(ping, { route: 'GET /ping', other: 0 })
  for (const decision of ['allowed', 'refused']) t.equal(ping[decision], metric(`rate_limit_decisions_total\\{limit="ping-5s",route="GET /ping",decision="${decision}"\\}`), decision)
  t.equal(ping.allowed + ping.refused, 3)
  const ttl = totals.ttl.filter((row: any) => row.entries > 0)
  t.same(ttl, [{ upToSeconds: 10, entries: totals.fills }])
})

t.test('nothing that is sent says who anybody is', async t => {
  const { url } = await serve(t)
  const token = await enter({ urls: [url] }, 'grace', '192.0.2.99')
  const user = client(url, '192.0.2.99').as(token)
  for (let i = 0; i < 3; i++) await user.get('/ping')
  for (let i = 0; i < 6; i++) await client(url, '192.0.2.99').post('/login', { username: 'grace', password: 'wrong' })
  const id = (await user.get('/sessions')).json.sessions[0].id as string
  let seen = ''
  const { next } = await listen(t, url)
  seen += JSON.stringify((await next('history')).data)
  await until('the ping to be counted', async () => {
    const { data } = await next('answers')
    seen = seen.slice(0, 100_000) + JSON.stringify(data)
    return data.topCallers.length === 1
  }, 60_000)
  const { limited } = JSON.parse(seen.slice(0, seen.indexOf('}{') === -1 ? undefined : seen.indexOf('}{') + 1)).totals
  t.match(limited, [{ limit: String, who: /^[0-9a-f]{8}$/, refused: Number }])
  for (const secret of ['192.0.2.99', 'grace', token, id, '127.0.0.1']) t.notOk(seen.includes(secret), secret)
})

t.test('goes on where a lost connection has ended, and starts anew for an id it does not know', async t => {
  const { url } = await serve(t)
  const first = await listen(t, url)
  await first.next('history')
  const { id } = await first.next('second')
  const { data: { row } } = await first.next('second')
  first.close()
  const history = (await (await listen(t, url, id)).next('history')).data
  t.equal(history.resumed, true)
  t.same(history.rows[0], row, 'the first that it had not seen')
  for (const unknown of ['x', `${id}9999`, 'AAAAAAAAAAAAAAAA:0', ':', '']) {
    const { resumed, rows } = (await (await listen(t, url, unknown)).next('history')).data
    t.equal(resumed, false, unknown)
    t.ok(rows.length >= 2)
  }
})

t.test('has no room for a twenty-first, until somebody goes', async t => {
  const { url } = await serve(t)
  const streams = []
  for (let i = 0; i < 20; i++) streams.push(await listen(t, url))
  for (const { response } of streams) t.equal(response.statusCode, 200)
  const late = await listen(t, url)
  t.match(late.response, { statusCode: 503, headers: { 'retry-after': '10' } })
  late.response.resume()
  streams[0]!.close()
  await until('the place to be free', async () => {
    const { response, close } = await listen(t, url)
    const { statusCode } = response
    close()
    return statusCode === 200
  })
})

t.test('ends at once when the app closes', async t => {
  const { url, app } = await serve(t)
  const { response, next } = await listen(t, url)
  await next('history')
  const ended = t.rejects(next('anything more'), { message: /the stream ended/ })
  await app.close()
  await ended
  t.ok(response.complete, 'in order, not torn off')
})
