import { startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { countOrigins, type Origins, sentShareOf, watchOrigins } from '../src/command-origins.ts'

t.test('tells what a client sent from what a script called, and keeps an unfinished line for later', async t => {
  const origins = new Map<string, Origins>()
  const rest = countOrigins(origins, [
    '+OK',
    '+1795236525.387776 [0 127.0.0.1:55572] "EVALSHA" "8a2f" "0"',
    '+1795236525.387832 [0 lua] "INCR" "a \\"quoted\\" key"',
    '+1795236525.387898 [0 lua] "get" "a"',
    '+1795236525.388000 [3 [::1]:55572] "GET" "b"',
    '+1795236525.388100 [0 127.0.0.1:1] "PI'
  ].join('\r\n'))
  t.same(Object.fromEntries(origins), { evalsha: { sent: 1, inner: 0 }, incr: { sent: 0, inner: 1 }, get: { sent: 1, inner: 1 } })
  t.equal(rest, '+1795236525.388100 [0 127.0.0.1:1] "PI')
  countOrigins(origins, `${rest}NG"\r\n`)
  t.same(origins.get('ping'), { sent: 1, inner: 0 })
})

t.test('a key that looks like a line of the monitor is none', async t => {
  const origins = new Map<string, Origins>()
  countOrigins(origins, '+1.5 [0 127.0.0.1:1] "GET" "\\r\\n+1.5 [0 lua] \\"FLUSHALL\\""\r\n')
  t.same([...origins.keys()], ['get'])
})

t.test('a command that was never seen counts as sent', async t => {
  const share = sentShareOf(new Map([['get', { sent: 1, inner: 3 }], ['incr', { sent: 0, inner: 9 }]]))
  t.same(['get', 'incr', 'hello'].map(share), [0.25, 0, 1])
})

t.test('watches a real server while the work runs', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const redis = new Redis(server.url)
  t.teardown(() => redis.disconnect())
  const origins = await watchOrigins(server.port, async () => {
    for (let i = 0; i < 20; i++) await redis.eval('redis.call("INCR", KEYS[1]) return redis.call("GET", KEYS[1])', 1, 'counter')
    for (let i = 0; i < 20; i++) await redis.get('counter')
    await redis.ping()
  })
  const share = sentShareOf(origins)
  t.same({ eval: share('eval'), incr: share('incr') }, { eval: 1, incr: 0 })
  t.match(origins.get('get'), { inner: 20 })
  t.ok(origins.get('get')!.sent > 15, `${origins.get('get')!.sent} of 20 seen before the watch ended`)
})
