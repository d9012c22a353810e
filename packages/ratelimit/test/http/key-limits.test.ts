import type { FastifyRequest } from 'fastify'
import { startRedis } from '@respite/testing'
import t from 'tap'
import type { KeyOf } from '../../src/index.ts'
import { linkedApp, makeApp, served, statuses } from '../app.ts'

declare module 'fastify' {
  interface FastifyRequest { tenant?: string }
}

const two = { name: 'tenant', limit: 2, per: '1m' } as const
const header: KeyOf = request => request.headers['x-tenant'] as string | undefined
const of = (tenant: string, remoteAddress = '192.0.2.1') => ({ url: '/', remoteAddress, headers: { 'x-tenant': tenant } })

t.test('a key is counted by itself, from whatever address, whether it comes at once or later, as text or number', async t => {
  const kinds: Record<string, KeyOf> = {
    sync: header,
    async: async request => { await new Promise(setImmediate); return header(request) },
    number: request => Number(header(request)),
    'async number': async request => Number(header(request))
  }
  for (const [kind, key] of Object.entries(kinds)) {
    const { app } = await makeApp(t)
    app.get('/', { config: { rateLimit: { ...two, key } } }, served)
    t.same([...await statuses(app, 1, of('1', '192.0.2.1')), ...await statuses(app, 2, of('1', '192.0.2.2'))], [200, 200, 429], kind)
    t.equal((await app.inject(of('2'))).headers['x-ratelimit-remaining'], '1', kind)
  }
})

t.test('a number and its text are one key; nothing, undefined or null, counts the address', async t => {
  const answers = [7, '7', undefined, null, ''] as const
  const { app } = await makeApp(t)
  app.get('/', { config: { rateLimit: { ...two, limit: 3, key: request => answers[Number(header(request))] } } }, served)
  const remaining = async (which: number, address?: string) => (await app.inject(of(String(which), address))).headers['x-ratelimit-remaining']
  t.equal(await remaining(0), '2')
  t.equal(await remaining(1), '1')
  t.equal(await remaining(2), '2')
  t.equal(await remaining(3), '1')
  t.equal(await remaining(3, '192.0.2.9'), '2', 'of another address')
  t.equal(await remaining(4), '2', 'an empty text is a key')
  t.equal(await remaining(4, '192.0.2.9'), '1')
})

t.test('an address that somebody sends as a key is not the address that another is counted under', async t => {
  const { app } = await makeApp(t)
  app.get('/', { config: { rateLimit: { ...two, limit: 1, key: header } } }, served)
  t.equal((await app.inject(of('192.0.2.9'))).statusCode, 200)
  t.equal((await app.inject({ url: '/', remoteAddress: '192.0.2.9' })).statusCode, 200)
})

t.test('a key function sees what hooks and the route\'s own preHandlers have set', async t => {
  const { app } = await makeApp(t, { limits: [{ name: 'everywhere', limit: 100, per: '1m', key: request => `${request.tenant} seen` }] })
  app.decorateRequest('tenant', undefined)
  app.addHook('preHandler', async request => { request.tenant = header(request) as string })
  const widen = async (request: FastifyRequest) => { request.tenant += '!' }
  app.get('/', { config: { rateLimit: { ...two, key: request => request.tenant } }, preHandler: [widen, widen] }, served)
  app.get('/one', { config: { rateLimit: 'tenant' }, preHandler: widen }, served)
  await app.inject(of('a'))
  t.equal((await app.rateLimit.peek('tenant', 'a!!')).remaining, 1)
  t.equal((await app.rateLimit.peek('everywhere', 'a!! seen')).remaining, 99)
  await app.inject({ ...of('b'), url: '/one' })
  t.equal((await app.rateLimit.peek('tenant', 'b!')).remaining, 1)
})

t.test('a key function that fails, or gives what is no key, fails the request and charges no limit by key', async t => {
  const { app } = await makeApp(t, { named: [{ ...two, name: 'good', key: header }] })
  const failing: Record<string, [KeyOf, RegExp]> = {
    throws: [() => { throw new TypeError('no tenant') }, /no tenant/],
    rejects: [async () => { throw new TypeError('no tenant') }, /no tenant/],
    'throws nothing': [() => { throw undefined }, /key/], // eslint-disable-line no-throw-literal
    'rejects with nothing': [() => Promise.reject(), /key/], // eslint-disable-line prefer-promise-reject-errors
    object: [() => ({ secret: 'of ada' }) as unknown as string, /^the key for limit 'object' must be a string or a number, got a value of type object$/],
    boolean: [async () => true as unknown as string, /got a value of type boolean$/]
  }
  let handled = 0
  for (const [name, [key]] of Object.entries(failing)) {
    app.get(`/${name.replaceAll(' ', '-')}`, { config: { rateLimit: ['good', { ...two, name, key }] } }, async () => { handled++; return 'served' })
  }
  for (const [name, [, message]] of Object.entries(failing)) {
    for (let i = 0; i < 3; i++) {
      const response = await app.inject({ ...of('t'), url: `/${name.replaceAll(' ', '-')}` })
      t.equal(response.statusCode, 500, name)
      t.match(response.json().message, message, name)
    }
  }
  t.equal(handled, 0)
  t.equal((await app.rateLimit.peek('good', 't')).remaining, 2)
})

t.test('hazard 19: keys with every separator, with NUL, of 64 KB, and with lone surrogates are all different, and all are counted', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const long = 'k'.repeat(65_536)
  const keys = ['a:b', 'a', 'b', 'a:b:', ':a:b', '{a}', 'a}b{', '*', '?', '[a]', 'a\0b', 'a\0', '\0', 'a b', 'a\nb', '%61', '%', '', ' ', long, `${long}x`, `x${long}`, '\ud800', '\ud801', '\ufffd', 'é', 'e\u0301', '__proto__']
  t.equal(new Set(keys).size, keys.length)
  const routes = (app: Awaited<ReturnType<typeof linkedApp>>) => {
    app.post<{ Body: { key: string } }>('/', { config: { rateLimit: { ...two, limit: 3, key: request => (request.body as { key: string }).key } } }, served)
  }
  const { app: embedded } = await makeApp(t)
  routes(embedded)
  const linked = await linkedApp(t, {}, { url: server.url }, routes)
  for (const app of [embedded, linked]) {
    for (const round of ['2', '1', '0']) {
      for (const key of keys) {
        const { headers } = await app.inject({ method: 'POST', url: '/', payload: { key } })
        t.equal(headers['x-ratelimit-remaining'], round, `${JSON.stringify(key).slice(0, 20)} ${key.length}`)
      }
    }
    t.equal((await app.inject({ method: 'POST', url: '/', payload: { key: long } })).statusCode, 429)
  }
})

t.test('a hook made of limits checks them together, whatever they count by, and needs no config', async t => {
  const { app } = await makeApp(t, { named: [{ name: 'ip', limit: 3, per: '1m' }] })
  const hook = app.rateLimit(['ip', { name: 'user', limit: 2, per: '1m', by: 'user' }, { ...two, limit: 1, key: header }])
  app.get('/', { preHandler: hook }, served)
  app.get('/too', { preHandler: hook }, served)
  const status = async (user: string, tenant: string, url = '/') => (await app.inject({ url, headers: { 'x-user': user, 'x-tenant': tenant } })).statusCode
  t.equal(await status('ada', 'a'), 200)
  t.equal(await status('ada', 'a'), 429)
  t.equal(await status('ada', 'b', '/too'), 200)
  t.equal(await status('ada', 'c'), 429, 'the user\'s')
  t.equal(await status('bob', 'c'), 200, 'the refused ones were not charged')
  t.equal(await status('bob', 'd'), 429, 'the address\'s')
})
