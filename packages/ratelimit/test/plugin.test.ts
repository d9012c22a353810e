import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startRedis, until } from '@respite/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import t from 'tap'
import rateLimit, { presets } from '../src/index.ts'
import { bareApp, linkedApp, makeApp, served, statuses } from './app.ts'

t.test('the presets admit what they say: 100 by address, 5 for a log-in, 60 by user', async t => {
  const { app, clock } = await makeApp(t)
  app.get('/api', { config: { rateLimit: presets.api } }, served)
  app.post('/auth', { config: { rateLimit: presets.auth } }, served)
  app.get('/user', { config: { rateLimit: presets.user } }, served)
  const requests = { 100: { url: '/api' }, 5: { method: 'POST', url: '/auth' }, 60: { url: '/user', headers: { 'x-user': 'ada' } } } as const
  for (const [limit, request] of Object.entries(requests)) {
    const all = await statuses(app, Number(limit) + 1, request)
    t.same([all.filter(status => status === 200).length, all.at(-1)], [Number(limit), 429], request.url)
  }
  clock.nowMs += 60_001
  for (const request of Object.values(requests)) t.equal((await app.inject(request)).statusCode, 200)
  t.ok(Object.isFrozen(presets))
})

t.test('a limit by user counts the user wherever it is, and visitors by their address', async t => {
  const { app } = await makeApp(t, { limits: [{ ...presets.user, limit: 2 }] })
  app.get('/', served)
  const of = (user: string | undefined, remoteAddress: string) => ({ url: '/', remoteAddress, headers: user === undefined ? {} : { 'x-user': user } })
  t.same([...await statuses(app, 1, of('ada', '192.0.2.1')), ...await statuses(app, 2, of('ada', '192.0.2.2'))], [200, 200, 429])
  t.same(await statuses(app, 2, of('bob', '192.0.2.1')), [200, 200])
  t.same(await statuses(app, 3, of(undefined, '192.0.2.1')), [200, 200, 429])
  t.same(await statuses(app, 1, of(undefined, '192.0.2.2')), [200])
  t.same(await statuses(app, 1, of('192.0.2.1', '192.0.2.3')), [200], 'a user who is called as an address is')
})

t.test('without anybody who knows users, limits by user count addresses', async t => {
  const app = await bareApp(t)
  await app.register(rateLimit, { limits: [{ ...presets.user, limit: 1 }] })
  app.get('/', served)
  const of = (remoteAddress: string) => ({ url: '/', remoteAddress, headers: { 'x-user': 'ada' } })
  t.same([...await statuses(app, 2, of('192.0.2.1')), ...await statuses(app, 1, of('192.0.2.2'))], [200, 429, 200])
})

t.test('who knows users may be registered after the limits', async t => {
  const app = await bareApp(t)
  await app.register(rateLimit, { limits: [{ ...presets.user, limit: 1 }] })
  const userOf = (request: { headers: Record<string, unknown> }) => request.headers['x-user'] as string
  app.register(async child => { child.respite.provide('identity', { userId: userOf, subject: userOf }) })
  app.get('/', served)
  const of = (user: string) => ({ url: '/', headers: { 'x-user': user } })
  t.same([...await statuses(app, 1, of('ada')), ...await statuses(app, 1, of('bob')), ...await statuses(app, 1, of('ada'))], [200, 200, 429])
})

t.test('without @respite/redis the boot fails, and a second time too, in whatever context', async t => {
  const alone = Fastify()
  alone.register(rateLimit)
  await t.rejects(async () => { await alone.ready() }, { code: 'FST_ERR_PLUGIN_NOT_PRESENT_IN_INSTANCE', message: /'respite' required by '@respite\/ratelimit'/ })
  const expected = { code: 'FST_RSP_RATELIMIT_TWICE' }
  await t.rejects(async () => { await (await makeApp(t)).app.register(rateLimit) }, expected)
  const siblings = await bareApp(t)
  for (const prefix of ['/a', '/b']) siblings.register(async child => { await child.register(rateLimit) }, { prefix })
  await t.rejects(async () => { await siblings.ready() }, expected)
})

/** A GET over a socket of its own. */
async function get (app: FastifyInstance, host: string, headers: Record<string, string | string[]>): Promise<{ status: number, remaining: string | undefined }> {
  const request = httpRequest({ host, port: (app.server.address() as AddressInfo).port, path: '/', headers, agent: false }).end()
  const [response] = await once(request, 'response')
  response.resume()
  await once(response, 'end')
  return { status: response.statusCode, remaining: response.headers['x-ratelimit-remaining'] }
}

t.test('hazard 17: over sockets: what a client writes into X-Forwarded-For changes nothing, unless its address is trusted', async t => {
  for (const trust of [[], ['loopback']]) {
    const { app } = await makeApp(t, { limits: [{ name: 'ip', limit: 4, per: '1m' }] }, { redis: { embedded: true, clientIp: { trust } }, server: { trustProxy: true } })
    app.get('/', served)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const forged = ['203.0.113.1', '203.0.113.2', '2001:db8::1', `${'x, '.repeat(2_000)}203.0.113.3`]
    const left = []
    for (const header of forged) left.push((await get(app, '127.0.0.1', { 'x-forwarded-for': header })).remaining)
    t.same(left, trust.length === 0 ? ['3', '2', '1', '0'] : ['3', '3', '3', '3'])
    const chain = ['198.51.100.7', '203.0.113.1']
    t.same(await get(app, '127.0.0.1', { 'x-forwarded-for': chain }), trust.length === 0 ? { status: 429, remaining: '0' } : { status: 200, remaining: '2' }, 'the last hop counts, what is left of it is forged')
  }
})

t.test('hazard 16: an IPv6 client is counted by its /64, however it is written, and an IPv4 client by its address in each of its forms', async t => {
  const { app } = await makeApp(t, { limits: [{ name: 'ip', limit: 100, per: '1m' }, { ...presets.user, limit: 100 }] })
  app.get('/', { config: { rateLimit: { name: 'key', limit: 100, per: '1m', key: () => undefined } } }, served)
  const remaining = async (remoteAddress: string) => (await app.inject({ url: '/', remoteAddress })).headers['x-ratelimit-remaining']
  for (let i = 0; i < 20; i++) t.equal(await remaining(`2001:db8:1:2:${i.toString(16)}::${(i * 919).toString(16)}`), String(99 - i))
  t.equal(await remaining('2001:DB8:1:2:ffff:0:0:1'), '79')
  t.equal(await remaining('2001:db8:1:3::1'), '99')
  let left = 100
  for (const form of ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201', '64:ff9b::192.0.2.1']) t.equal(await remaining(form), String(--left), form)
  t.equal(await remaining('192.0.2.2'), '99')
})

t.test('no address, user or key is in any key of Redis, any line of a trace log, or any metric', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  let log = ''
  const stream = { write (line: string) { log += line } }
  const app = await bareApp(t, { redis: { url: server.url }, server: { logger: { level: 'trace', stream }, disableRequestLogging: true } })
  const secrets = { address: '203.0.113.77', v6: '2001:db8:aaaa:bbbb', user: 'ada-lovelace-1815', key: 'tenant-key-4711' }
  app.respite.provide('identity', { userId: () => secrets.user, subject: () => secrets.user })
  const one = { limit: 1, per: '1m' } as const
  await app.register(rateLimit, { timeoutMs: 2_000, limits: [{ ...one, name: 'ip' }], named: [{ ...one, name: 'user', by: 'user' }, { ...one, name: 'key', key: () => secrets.key }] })
  for (const name of ['user', 'key']) app.get(`/${name}`, { config: { rateLimit: name } }, served)
  app.get('/closed', { config: { rateLimit: { ...one, name: 'closed', onStoreError: 'closed', key: () => secrets.key } } }, served)
  app.get('/wrong', { config: { rateLimit: { ...one, name: 'wrong', key: () => ({ [secrets.key]: secrets.key }) as unknown as string } } }, served)
  await app.ready()
  await until('the link', () => app.respite.link.state === 'up')
  const all = async () => {
    for (const [i, url] of ['/user', '/key', '/closed', '/wrong', '/nowhere'].entries()) {
      for (const remoteAddress of [`${secrets.v6}:${i}::1`, secrets.address]) await statuses(app, 2, { url, remoteAddress })
    }
    await app.rateLimit.take('key', secrets.key)
    await app.rateLimit.take('user', secrets.user)
    await app.rateLimit.take('key', { [secrets.key]: 1 } as unknown as string).catch((error: Error) => app.log.error(error))
  }
  await all()
  const client = new Redis(server.port)
  const stored: string[] = []
  for (const key of await client.keys('*')) stored.push(key, (await client.getBuffer(key).catch(() => Buffer.alloc(0)))!.toString('latin1'))
  client.disconnect()
  await server.kill()
  await until('the link to know', () => app.respite.link.state === 'down')
  await all()
  const metrics = JSON.stringify((await app.respite.metrics.read()).map(metric => [metric.name, metric.help, ...[...metric.entries()].map(([labels]) => labels)]))
  const health = JSON.stringify(await app.respite.health.report())
  t.ok(stored.filter(key => /limit:\{[\w-]{22}\}:/.test(key)).length >= 4, 'limits are in Redis')
  t.ok(log.length > 500 && metrics.includes('rate_limit_decisions_total'))
  for (const [what, secret] of Object.entries(secrets)) {
    for (const [where, text] of Object.entries({ stored: stored.join('\n'), log, metrics, health })) t.notOk(text.includes(secret) || text.includes(encodeURIComponent(secret)), `${what} in ${where}`)
  }
  t.ok(app.rateLimit.top(100).some(({ key }) => key === secrets.user), 'who asks for it by hand learns it')
})

t.test('a close answers the requests that are under way, and leaves no connection open', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const app = await linkedApp(t, { limits: [presets.api] }, { url: server.url }, app => app.get('/', served))
  const under = Array.from({ length: 10 }, () => app.inject('/'))
  await Promise.all([...under, app.close()])
  for (const { statusCode } of await Promise.all(under)) t.ok([200, 503].includes(statusCode), String(statusCode))
  const asker = new Redis(server.port)
  t.teardown(() => asker.disconnect())
  await until('only the asker to be left', async () => String(await asker.client('LIST')).trim().split('\n').length === 1)
})
