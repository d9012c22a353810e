import { Writable } from 'node:stream'
import { until } from '@respite/testing'
import Fastify from 'fastify'
import t from 'tap'
import redis from '@respite/redis'
import session from '@respite/session'
import { bearer, cookieOf, loggedIn, status } from '../shop.ts'
import { connected, secrets } from '../grounds.ts'
import { openRedisHouse } from './house.ts'

const quick = { redis: { deadlineMs: 300 } }
// What the server holds outlasts its end.
const durable = ['--appendonly', 'yes', '--appendfsync', 'always']

t.test('T11: with Redis frozen or gone nobody is logged in or out by failure: 503, and visitors are served', async t => {
  const house = await openRedisHouse(t)
  const app = await house.app({}, quick)
  const cookie = cookieOf(await app.inject({ method: 'POST', url: '/login/ada', payload: { data: { cart: ['tea'] } } }))
  const headers = { cookie }
  const began = performance.now()
  house.server.freeze()
  for (const url of ['/me', '/open', '/fresh']) t.equal((await app.inject({ url, headers })).statusCode, 503)
  t.equal((await app.inject({ method: 'POST', url: '/cart', payload: [1], headers })).statusCode, 503)
  t.equal((await app.inject({ method: 'POST', url: '/login/bob', payload: {} })).statusCode, 503)
  t.equal((await app.inject('/open')).statusCode, 200)
  await t.rejects(app.sessions.list('ada'), { code: /^FST_RSP_SESSION_STORE_(DOWN|TIMEOUT)$/ })
  await t.rejects(app.sessions.revoke({ id: 'any' }), { code: /^FST_RSP_SESSION_STORE_(DOWN|TIMEOUT)$/ })
  t.match((await app.respite.health.report()).parts.session, { status: 'down', store: 'redis', durable: 'none' })
  t.ok(performance.now() - began < 10_000, 'the deadline, and not a time-out of the client')
  house.server.thaw()
  await until('Redis to be used again', async () => (await app.inject({ url: '/me', headers })).statusCode === 200)
  t.strictSame((await app.inject({ url: '/open', headers })).json(), { user: 'ada', cart: ['tea'] })
  await until('a word of health', async () => (await app.respite.health.report()).parts.session!.status === 'ok')
  await house.server.kill()
  for (const url of ['/me', '/open']) t.equal((await app.inject({ url, headers })).statusCode, 503)
})

t.test('T11: a log-out or revoke that Redis did not acknowledge is refused with 503, and the cookie goes all the same', async t => {
  const house = await openRedisHouse(t)
  const app = await house.app({}, quick)
  const cookie = cookieOf(await app.inject({ method: 'POST', url: '/login/ada', payload: {} }))
  t.equal((await app.inject({ url: '/me', headers: { cookie } })).statusCode, 200)
  await house.client.call('CLIENT', 'PAUSE', '2000', 'WRITE')
  await t.rejects(app.sessions.revokeAll('ada'), { code: /^FST_RSP_SESSION_STORE_(DOWN|TIMEOUT)$/ })
  await until('the end of the pause', async () => (await app.inject({ url: '/me', headers: { cookie } })).statusCode < 500)
  const again = cookieOf(await app.inject({ method: 'POST', url: '/login/ada', payload: {} }))
  const { link } = app.respite
  const run = link.run.bind(link)
  Object.assign(link, { run: async (...args: Parameters<typeof run>) => { if (args[0].name.endsWith('revoke')) throw new TypeError('cut off'); return await run(...args) } })
  const out = await app.inject({ method: 'POST', url: '/logout', headers: { cookie: again } })
  t.equal(out.statusCode, 503)
  t.match(out.headers['set-cookie'], /^__Host-sid=; Max-Age=0/)
  Object.assign(link, { run })
  t.equal((await app.inject({ url: '/me', headers: { cookie: again } })).statusCode, 200, 'it was said to have failed, and did')
})

t.test('T4: by default all sessions end with a restart or failover of Redis, though it still has them', async t => {
  const house = await openRedisHouse(t, ...durable)
  const app = await house.app({}, quick)
  const token = await loggedIn(app)
  t.equal(await status(app, token), 200)
  await house.server.restart()
  await connected(app)
  t.equal(await status(app, token), 401)
  t.strictSame(await app.sessions.list('ada'), [])
  const again = await loggedIn(app)
  t.strictSame([await status(app, token), await status(app, again)], [401, 200])
  t.equal((await app.sessions.list('ada')).length, 1)
})

t.test('T4: with afterFailover: \'trust\' they go on, and one that ended before stays so', async t => {
  const house = await openRedisHouse(t, ...durable)
  const app = await house.app({ afterFailover: 'trust' }, quick)
  const [ended, bob] = [await loggedIn(app), await loggedIn(app, 'bob')]
  await app.sessions.revokeAll('ada')
  await house.server.restart()
  await connected(app)
  t.strictSame([await status(app, ended), await status(app, bob)], [401, 200])
})

// Seen: it refused a session made after the failover for a minute, long after it had noticed it itself.
t.test('T4: a process that is late to notice a failover takes a session made after it as soon as it has, and one that has ended stays so', async t => {
  const house = await openRedisHouse(t)
  const [late, app] = [await house.app(), await house.app()]
  const [token, ended] = [await loggedIn(app), await loggedIn(app, 'bob')]
  await app.sessions.revokeAll('bob')
  const { link } = late.respite
  const eraOf = link.eraOf.bind(link)
  Object.assign(link, { eraOf: () => 'the data set before the failover' })
  t.strictSame([await status(late, token), await status(late, ended)], [401, 401])
  Object.assign(link, { eraOf })
  t.strictSame([await status(late, token), await status(late, ended)], [200, 401])
  const before = await house.client.info('commandstats')
  t.strictSame([await status(late, ended), await status(late, ended)], [401, 401])
  const reads = (text: string) => /cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1]
  t.equal(reads(await house.client.info('commandstats')), reads(before), 'by what it remembers')
})

t.test('T4: Redis emptied logs everybody out, and brings nobody back', async t => {
  const house = await openRedisHouse(t)
  const [here, there] = [await house.app({ touchEvery: 0 }), await house.app()]
  const token = await loggedIn(here)
  await house.client.flushall()
  for (const app of [here, there]) t.equal(await status(app, token), 401)
  t.strictSame(await here.sessions.revokeAll('ada'), { ended: [] })
  t.strictSame((await house.client.keys('*')).filter(key => key.includes('session')), [])
})

t.test('a full server refuses a log-in and ends nothing for it; a log-out is taken', async t => {
  const house = await openRedisHouse(t)
  const app = await house.app()
  const token = await loggedIn(app)
  await house.client.config('SET', 'maxmemory', '1')
  t.equal((await app.inject({ method: 'POST', url: '/login/ada', payload: {} })).statusCode, 503)
  t.equal((await app.inject({ method: 'POST', url: '/cart', payload: [1], headers: bearer(token) })).statusCode, 503)
  await until('it is read', async () => await status(app, token) === 200)
  t.equal((await app.inject({ method: 'POST', url: '/logout', headers: bearer(token) })).statusCode, 200)
  await house.client.config('SET', 'maxmemory', '0')
  await until('its room', () => app.respite.link.state === 'up')
  t.equal(await status(app, token), 401)
})

t.test('what lies in Redis and is not ours costs only the user it is in the place of', async t => {
  const house = await openRedisHouse(t)
  const app = await house.app()
  const [ada, bob] = [await loggedIn(app), await loggedIn(app, 'bob')]
  const [ledger] = await house.client.keys(`*{${ada.slice(1, 22)}}:ledger`) as [string]
  await house.client.set(ledger, 'a stranger was here')
  t.strictSame(await Promise.all([status(app, ada), status(app, bob)]), [503, 200])
})

t.test('the boot warns of a server that evicts, and of no other', async t => {
  const said = async (policy: string) => {
    const house = await openRedisHouse(t, '--maxmemory-policy', policy)
    let written = ''
    const stream = new Writable({ write (chunk, _, done) { written += chunk; done() } })
    const app = await house.app({}, { server: { logger: { level: 'warn', stream } } })
    // Commands are answered in turn: what was asked at the boot has been.
    await app.respite.link.send('PING')
    return written
  }
  t.match(await said('allkeys-lru'), /"policy":"allkeys-lru".*maxmemory-policy noeviction/)
  t.notMatch(await said('noeviction'), /maxmemory/)
})

t.test('without a durable store, and without a word that this is meant, the app does not start', async t => {
  const house = await openRedisHouse(t)
  const start = async (options: object) => {
    const app = Fastify()
    await app.register(redis, { url: house.server.url })
    try {
      await app.register(session, options)
    } finally {
      await app.close()
    }
  }
  await t.rejects(start({ secrets }), { code: 'FST_RSP_SESSION_DURABLE_MISSING', message: /'none'/ })
  await t.rejects(start({ durable: 'none' }), { code: 'FST_RSP_SESSION_SECRETS_MISSING' })
  await t.rejects(start({ secrets, durable: 'redis' }), { code: 'FST_RSP_OPTION_INVALID', message: /durable.*'none'.*'redis'/ })
  await t.rejects(start({ secrets, durable: 'none', afterFailover: 'maybe' }), { code: 'FST_RSP_OPTION_INVALID', message: /afterFailover.*'maybe'/ })
  await t.rejects(start({ secrets, afterFailover: 'trust' }), { code: 'FST_RSP_SESSION_OPTIONS', message: /afterFailover 'trust'/ })
  const { RespiteStore } = await import('@respite/session/store')
  const app = await house.app()
  t.throws(() => new RespiteStore(app), { code: 'FST_RSP_SESSION_OPTIONS', message: /durable is 'none'/ })
})
