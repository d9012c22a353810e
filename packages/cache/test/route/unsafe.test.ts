import { request } from 'node:http'
import t from 'tap'
import { cpuMsOf, gate, until } from '@respite/testing'
import { groupsOf } from '../../src/route/groups.ts'
import { type AppInTime, appInTime } from './app-in-time.ts'

type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

async function withItems (t: Parameters<typeof appInTime>[0], options: object = {}): Promise<AppInTime & { state (url: string): Promise<string> }> {
  const made = await appInTime(t)
  const { app, get } = made
  app.get('/items/:id', { config: { cache: { ttl: '1m', ...options } } }, async request => request.params)
  app.route({ method: ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'], url: '/items/:other', handler: async (request, reply) => reply.code(Number(request.headers['x-status'] ?? 200)).send({}) })
  return { ...made, state: async url => (await get(url)).state }
}

const write = ({ inject }: AppInTime, url: string, { method = 'PUT', status = 200 }: { method?: Method, status?: number } = {}) =>
  inject({ method, url, headers: { 'x-status': String(status) } })

t.test('RFC 9111, 4.4: an unsafe request that succeeded ends what is stored of its path, with any query, and of no other', async t => {
  const items = await withItems(t)
  const urls = ['/items/1', '/items/1?a=1', '/items/2']
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    for (const url of urls) await items.get(url)
    await write(items, '/items/1', { method })
    t.strictSame([await items.state(urls[0]!), await items.state(urls[1]!), await items.state(urls[2]!)], ['MISS', 'MISS', 'HIT'], method)
  }
  await write(items, '/items/1', { status: 303 })
  t.equal(await items.state('/items/1'), 'MISS')
})

t.test('one that failed, and a safe one, end nothing; by option any, or none', async t => {
  const items = await withItems(t)
  await items.get('/items/1')
  for (const status of [400, 401, 404, 409, 500]) await write(items, '/items/1', { status })
  await write(items, '/items/1', { method: 'OPTIONS' })
  t.equal(await items.state('/items/1'), 'HIT')
  const any = await withItems(t, { unsafe: 'any' })
  await any.get('/items/1')
  await write(any, '/items/1', { status: 500 })
  t.equal(await any.state('/items/1'), 'MISS')
  const never = await withItems(t, { unsafe: 'never' })
  await never.get('/items/1')
  await write(never, '/items/1')
  t.equal(await never.state('/items/1'), 'HIT')
})

t.test('an unsafe request ends one tag for a path, of the kind that its routes have', async t => {
  for (const [unsafe, tag] of [['success', 'ok /items/1'], ['any', 'any /items/1']] as const) {
    const items = await withItems(t, { unsafe })
    const ended: string[] = []
    items.app.cache.on('invalidate', ({ name }) => { ended.push(name) })
    await write(items, '/items/1')
    t.strictSame(ended, [tag])
  }
})

t.test('a path that is written in another way is the same', async t => {
  const items = await withItems(t)
  for (const [stored, written] of [['/items/%41b', '/items/Ab'], ['/items/a%2Fb', '/items/a%2fb'], ['/items/x', '/items/X']] as const) {
    await items.get(stored)
    await write(items, written)
    t.equal(await items.state(stored), 'MISS', written)
  }
  const long = `/items/${'y'.repeat(90)}${'%20'.repeat(3)}`
  await items.get(long)
  await write(items, long)
  t.equal(await items.state(long), 'MISS')
})

t.test('RFC 9111, 4.4: what Location and Content-Location name on the same host ends too', async t => {
  const items = await withItems(t)
  let current = { name: '', target: '' }
  items.app.post('/create', async (_, reply) => reply.code(201).header(current.name, current.target).send({}))
  for (const [name, target, state] of [
    ['location', '/items/7', 'MISS'], ['content-location', 'http://localhost:80/items/7?x=1', 'MISS'], ['location', 'http://elsewhere.example/items/7', 'HIT'], ['location', 'http://[', 'HIT']
  ] as const) {
    await items.get('/items/7')
    current = { name, target }
    await items.inject({ method: 'POST', url: '/create' })
    t.equal(await items.state('/items/7'), state, `${name}: ${target}`)
  }
})

t.test('R1: an answer that was being made while an unsafe request was answered is not stored', async t => {
  const { app, get, inject } = await appInTime(t)
  const hold = gate()
  let row = 'v1'
  app.get('/row', { config: { cache: { ttl: '1m' } } }, async () => {
    const loaded = row
    await hold.pass()
    return { loaded }
  })
  app.put('/row', async () => { row = 'v2'; return {} })
  const old = get('/row')
  await hold.reached
  await inject({ method: 'PUT', url: '/row' })
  hold.open()
  await old
  const next = await get('/row')
  t.strictSame([next.state, next.body], ['MISS', '{"loaded":"v2"}'])
})

t.test('a handler that answers behind Fastify\'s back is heeded when it has', async t => {
  const { app, get } = await appInTime(t)
  app.get('/raw', { config: { cache: { ttl: '1m' } } }, async () => ({}))
  app.put('/raw', (_, reply) => { reply.hijack(); reply.raw.end('ok') })
  await get('/raw')
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const host = { host: new URL(address).host }
  await get('/raw', host)
  await (await fetch(`${address}/raw`, { method: 'PUT' })).text()
  t.equal((await get('/raw', host)).state, 'MISS')
})

t.test('RFC 9875: groups are tags of an answer, and an unsafe request ends them; a safe one does not', async t => {
  const { app, get, inject } = await appInTime(t)
  let invalidates = '"sports"'
  app.get('/a', { config: { cache: { ttl: '1m' } } }, async (_, reply) => { reply.header('cache-groups', '"sports", "home"'); return {} })
  app.get('/b', { config: { cache: { ttl: '1m', tags: ['news'] } } }, async () => ({}))
  app.get('/safe', async (_, reply) => { reply.header('cache-group-invalidation', invalidates); return {} })
  app.post('/edit', async (_, reply) => { reply.header('cache-group-invalidation', invalidates); return {} })
  const states = async () => [(await get('/a')).state, (await get('/b')).state]
  await states()
  t.strictSame(await states(), ['HIT', 'HIT'], 'stored the first time')
  await get('/safe')
  t.strictSame(await states(), ['HIT', 'HIT'])
  await inject({ method: 'POST', url: '/edit' })
  t.strictSame(await states(), ['MISS', 'HIT'])
  invalidates = '"news", "other"'
  await inject({ method: 'POST', url: '/edit' })
  t.strictSame(await states(), ['HIT', 'MISS'])
  await app.cache.namespace('http').invalidateTags('home')
  t.strictSame(await states(), ['MISS', 'HIT'])
})

t.test('R2: a group that is ended while the answer that names it is being made keeps the answer from being stored', async t => {
  const { app, get, inject } = await appInTime(t)
  const holds = [gate(), gate(), gate()]
  let runs = 0
  app.get('/a', { config: { cache: { ttl: '1m' } } }, async (_, reply) => {
    const run = runs++
    await holds[run]!.pass()
    reply.header('cache-groups', '"g"')
    return { run }
  })
  app.post('/edit', async (_, reply) => { reply.header('cache-group-invalidation', '"g"'); return {} })
  for (const [i, hold] of holds.entries()) {
    const asked = get('/a')
    await hold.reached
    if (i < 2) await inject({ method: 'POST', url: '/edit' })
    hold.open()
    t.equal((await asked).body, `{"run":${i}}`)
  }
  t.strictSame([(await get('/a')).state, (await get('/a')).body], ['HIT', '{"run":2}'])
})

t.test('R2: a group that one run has made known, ended while another run that names it goes on, keeps that answer from being stored', async t => {
  const { app, get } = await appInTime(t)
  const holds = [gate(), gate()]
  let runs = 0
  app.get('/a', { config: { cache: { ttl: '1m' } } }, async (_, reply) => {
    const run = runs++
    await holds[run]?.pass()
    reply.header('cache-groups', '"g"')
    return { run }
  })
  const key = `GET /a? ${JSON.stringify(['/a', 'http://localhost:80'])}`
  const first = get('/a')
  await holds[0]!.reached
  await app.cache.namespace('http').delete(key)
  const second = get('/a')
  await holds[1]!.reached
  holds[0]!.open()
  await first
  await app.cache.namespace('http').invalidateTags('g')
  holds[1]!.open()
  await second
  t.equal((await get('/a')).state, 'MISS')
})

t.test('who waits for a run whose answer names groups is given what is stored, not what was ended before they asked', async t => {
  const { app, get } = await appInTime(t)
  const holds = [gate(), gate()]
  let runs = 0
  app.get('/a', { config: { cache: { ttl: '1m' } } }, async (_, reply) => {
    const run = runs++
    await holds[run]?.pass()
    reply.header('cache-groups', '"g"')
    return { run }
  })
  const first = get('/a')
  await holds[0]!.reached
  const joined = get('/a')
  holds[0]!.open()
  t.strictSame([(await first).state, (await joined).state, (await joined).body], ['MISS', 'HIT', '{"run":0}'])
  await app.cache.namespace('http').invalidateTags('g')
  const second = get('/a')
  await holds[1]!.reached
  // The run's lease stands, and its groups are ended: who asks from now on is given nothing of it.
  await app.cache.namespace('http').invalidateTags('g')
  const late = get('/a')
  holds[1]!.open()
  await second
  t.equal((await late).body, '{"run":2}')
})

t.test('as many groups as are heeded, beside as many tags as a route may have, are stored', async t => {
  const { app, get } = await appInTime(t)
  const names = (word: string, count: number) => Array.from({ length: count }, (_, i) => `${word}${i}`)
  app.get('/a', { config: { cache: { ttl: '1m', tags: names('tag', 95) } } }, async (_, reply) => {
    reply.header('cache-groups', names('group', 32).map(name => `"${name}"`).join(', '))
    return {}
  })
  await get('/a')
  t.equal((await get('/a')).state, 'HIT')
  await app.cache.namespace('http').invalidateTags('group31')
  t.equal((await get('/a')).state, 'MISS')
})

t.test('groups are a list of strings; what is malformed, or too much, names none', async t => {
  t.strictSame(groupsOf('"a", "b;c" ;x=1,"d\\"e", "a"'.replace(' ;', ';')), ['a', 'b;c', 'd"e'])
  t.strictSame(groupsOf(undefined), [])
  for (const text of ['a', '"a', '"a" "b"', '"a",', "'a'", '("a" "b")', Array.from({ length: 33 }, (_, i) => `"${i}"`).join(','), `"${'x'.repeat(257)}"`]) t.equal(groupsOf(text), undefined, text.slice(0, 20))
  const hostile = ['"a";'.repeat(4_000), '"a",'.repeat(4_000), '"\\"'.repeat(5_000)]
  t.ok(cpuMsOf(() => hostile.forEach(groupsOf)) < 500)
})

t.test('an app without cached routes pays nothing for its unsafe requests', async t => {
  const { app, inject } = await appInTime(t)
  app.post('/x', async () => ({}))
  t.equal((await inject({ method: 'POST', url: '/x' })).status, 200)
  t.equal(app.cache.stats().misses, 0)
})

t.test('an answer that was asked for with what a router takes for the end of a path is of that path', async t => {
  const { app, inject } = await withItems(t)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  // As a browser never sends it: the fragment too.
  const state = (path: string) => new Promise((resolve, reject) => { request(address, { path, agent: false }, answer => resolve(answer.resume().headers['x-cache'])).on('error', reject).end() })
  for (const path of ['/items/1#part', '/items/1;v=1']) {
    await state(path)
    await until('it is stored', async () => await state(path) === 'HIT')
    await inject({ method: 'PUT', url: '/items/1' })
    t.equal(await state(path), 'MISS', path)
  }
})
