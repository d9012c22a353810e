import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { gate, startRedis, until } from '@respite/testing'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { LimitOptions } from '../../src/index.ts'
import { linkedApp, makeApp, served } from '../app.ts'

const server = await startRedis()
t.teardown(() => server.stop())

const busy = (limit: number, more: Partial<LimitOptions> = {}): LimitOptions => ({ name: 'busy', algorithm: 'concurrency', limit, key: () => 'k', ...more })
const freeOf = async (app: FastifyInstance) => (await app.rateLimit.peek('busy', 'k')).remaining
const portOf = (app: FastifyInstance) => (app.server.address() as AddressInfo).port

let apps = 0

/** An app over a server, under a key prefix of its own, whose `/` is busy until the gate opens. */
async function busyApp (t: Test, limit: LimitOptions, named: LimitOptions[] = []) {
  const open = gate()
  const app = await linkedApp(t, { named: [limit, ...named] }, { url: server.url, keyPrefix: `a${apps++}` }, app => {
    app.get('/', { config: { rateLimit: [limit.name, ...named.map(({ name }) => name)] } }, async () => {
      await open.pass()
      return 'served'
    })
  })
  t.teardown(open.open)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, open }
}

/** So many sockets, each with requests under way. */
async function sockets (app: FastifyInstance, count: number, requests = 1): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, async () => {
    const socket = connect(portOf(app), '127.0.0.1')
    socket.on('error', () => {}).resume()
    await once(socket, 'connect')
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(requests))
    return socket
  }))
}

t.test('a slot is held from the admission until the response was sent; who finds none is told to come again', async t => {
  const { app, open } = await busyApp(t, busy(2))
  const held = [app.inject('/'), app.inject('/')]
  await until('both slots to be held', async () => await freeOf(app) === 0)
  const refused = await app.inject('/')
  t.equal(refused.statusCode, 429)
  t.match(refused.headers, { 'retry-after': '1', 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' })
  t.same(refused.json(), {
    statusCode: 429,
    error: 'Too Many Requests',
    code: 'RATE_LIMITED',
    message: "Rate limit 'busy' of 2 at once exceeded, retry in 1 s",
    violated: 'busy',
    violations: [{ name: 'busy', limit: 2, retryAfter: 1 }],
    retryAfter: 1
  })
  t.equal(await freeOf(app), 0, 'a refusal frees nobody')
  open.open()
  for (const response of await Promise.all(held)) t.equal(response.statusCode, 200)
  await until('both slots to be free', async () => await freeOf(app) === 2)
  t.equal((await app.inject('/')).statusCode, 200)
})

t.test('the draft header names the unit of a concurrency limit, which has no window', async t => {
  const { app } = await makeApp(t, { limits: [busy(2), { name: 'minute', limit: 5, per: '1m' }], headers: ['draft'] })
  app.get('/', served)
  const { headers } = await app.inject('/')
  t.equal(headers['ratelimit-policy'], '"minute";q=5;w=60, "busy";q=2;qu="concurrent-requests"')
  t.equal(headers.ratelimit, '"minute";r=4;t=60, "busy";r=1;t=1')
})

t.test('a slot is given back once, whatever ends first: the others keep theirs', async t => {
  // So long that no renewal finds out what the end of a request did not tell.
  const { app, open } = await busyApp(t, busy(3, { slotExpiryMs: '1h' }))
  const [first, ...rest] = await sockets(app, 3)
  await until('all slots to be held', async () => await freeOf(app) === 0)
  first!.destroy()
  await until('one slot to be free', async () => await freeOf(app) === 1)
  await Promise.all(Array.from({ length: 5 }, () => freeOf(app)))
  t.equal(await freeOf(app), 1)
  open.open()
  await until('all to be free', async () => await freeOf(app) === 3)
  for (const socket of rest) socket.destroy()
})

t.test('errors, streams, empty answers and requests of HTTP that are cut off give their slots back', async t => {
  const { app } = await makeApp(t, { limits: [busy(1)] })
  app.get('/error', () => { throw new TypeError('thrown') })
  app.get('/stream', (_, reply) => reply.send(Readable.from(['a', 'b'])))
  app.get('/empty', (_, reply) => reply.code(204).send())
  app.get('/raw', (_, reply) => { reply.hijack().raw.end('raw') })
  app.get('/dead', (_, reply) => { reply.hijack().raw.destroy() })
  for (const [path, status] of [['/error', 500], ['/stream', 200], ['/empty', 204], ['/raw', 200], ['/nowhere', 404]] as const) {
    t.equal((await app.inject(path)).statusCode, status, path)
    await until(`the slot of ${path}`, async () => await freeOf(app) === 1)
  }
  await t.rejects(app.inject('/dead'))
  await until('the slot of what was destroyed', async () => await freeOf(app) === 1)
})

t.test('a request that another limit refuses holds no slot', async t => {
  const { app } = await busyApp(t, busy(5), [{ name: 'none', limit: 0, per: '1m' }])
  t.equal((await app.inject('/')).statusCode, 429)
  await until('its slot to be free', async () => await freeOf(app) === 5)
})

t.test('a client that is gone before its limits have answered holds no slot', async t => {
  const { app } = await busyApp(t, busy(1))
  server.freeze()
  const aborted = new Promise<void>(resolve => app.server.once('request', (_, response) => response.once('close', resolve)))
  const arrived = once(app.server, 'request')
  const [socket] = await sockets(app, 1)
  await arrived
  socket!.destroy()
  await aborted
  server.thaw()
  await until('its slot to be free', async () => await freeOf(app) === 1)
})

t.test('requests that wait behind others of a socket give their slots back though nobody tells them that it is closed', async t => {
  const { app } = await busyApp(t, busy(5, { slotExpiryMs: 600 }))
  const [socket] = await sockets(app, 1, 4)
  await until('the slots to be held', async () => await freeOf(app) === 1)
  socket!.destroy()
  await until('all to be free', async () => await freeOf(app) === 5)
})

t.test('hazard 21: the slots of 1,000 sockets that are killed at once return, though their handlers go on', async t => {
  const { app, open } = await busyApp(t, busy(1_000))
  const all = await sockets(app, 1_000)
  await until('all slots to be held', async () => await freeOf(app) === 0, 60_000)
  t.equal((await app.inject('/')).statusCode, 429)
  for (const socket of all) socket.resetAndDestroy()
  await until('all slots to be free', async () => await freeOf(app) === 1_000, 60_000)
  open.open()
  t.equal((await app.inject('/')).statusCode, 200)
})

t.test('hazard 21: the slots of a process that is killed return after their expiry, those of the living stay', async t => {
  const limit = { name: 'busy', algorithm: 'concurrency', limit: 5, slotExpiryMs: 900, by: 'ip' } as const
  const app = await linkedApp(t, { named: [limit] }, { url: server.url })
  const mine = await app.rateLimit.take('busy', 'k')
  const child = fork(new URL('./slot-holder.ts', import.meta.url), [server.url, JSON.stringify(limit), '9'])
  t.teardown(() => child.kill('SIGKILL'))
  t.same(await once(child, 'message').then(([held]) => held), 4)
  t.match(await app.rateLimit.take('busy', 'k'), { allowed: false, retryAfterMs: 1_000 })
  const asker = new Redis(server.port)
  t.teardown(() => asker.disconnect())
  const [seconds] = await asker.time()
  await until('three expiries to pass', async () => Number((await asker.time())[0]) > Number(seconds) + 3, 30_000)
  await until('those of the living to be held still', async () => await freeOf(app) === 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await until('the slots of the dead to be free', async () => await freeOf(app) === 4, 30_000)
  t.equal((await app.rateLimit.take('busy', 'k')).allowed, true)
  await app.rateLimit.refund('busy', 'k', mine)
  await until('the own slot to be free', async () => await freeOf(app) === 4)
})

t.test('in flight is in flight: what Redis has forgotten is counted again, and what was admitted while it was away too', async t => {
  const own = await startRedis()
  t.teardown(() => own.stop())
  const limit: LimitOptions = { name: 'busy', algorithm: 'concurrency', limit: 5, slotExpiryMs: 900 }
  const app = await linkedApp(t, { named: [limit], timeoutMs: 200 }, { url: own.url })
  await app.rateLimit.take('busy', 'k')
  const asker = new Redis(own.port, { retryStrategy: () => 50 })
  t.teardown(() => asker.disconnect())
  asker.on('error', () => {})
  await asker.flushall()
  await until('the slot to be counted again', async () => await freeOf(app) === 4)
  await own.kill()
  await until('the link to know', () => app.respite.link.state === 'down')
  const local = await app.rateLimit.take('busy', 'k')
  t.match(local, { allowed: true, by: 'local' })
  await own.restart()
  await until('both to be counted', async () => await freeOf(app) === 3, 30_000)
  await app.rateLimit.refund('busy', 'k', local)
  t.equal(await freeOf(app), 4)
})

t.test('a close gives back what is held', async t => {
  const options = { url: server.url, keyPrefix: `a${apps++}` }
  const [app, other] = [await linkedApp(t, { named: [busy(3)] }, options), await linkedApp(t, { named: [busy(3)] }, options)]
  await app.rateLimit.take('busy', 'k')
  await app.rateLimit.take('busy', 'k')
  t.equal(await freeOf(other), 1)
  await app.close()
  t.equal(await freeOf(other), 3)
})
