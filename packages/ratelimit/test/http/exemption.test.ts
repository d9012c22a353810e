import t from 'tap'
import type { Exempt } from '../../src/index.ts'
import { makeApp, served, statuses } from '../app.ts'

const one = { limit: 1, per: '1m' } as const
const every = [{ ...one, name: 'ip' }, { ...one, name: 'user', by: 'user' }, { ...one, name: 'key', key: () => 'k' }] as const
const admin = { url: '/', headers: { 'x-user': 'root' } }
const isRoot: Exempt = request => request.headers['x-user'] === 'root'

t.test('who is exempt is counted by no limit, of whatever kind, and is asked about once a request', async t => {
  let asked = 0
  for (const exempt of [isRoot, async (request: Parameters<Exempt>[0]) => { await new Promise(setImmediate); return isRoot(request) }]) {
    const { app } = await makeApp(t, { limits: every, exempt: request => { asked++; return exempt(request) } })
    app.get('/', { preHandler: app.rateLimit('ip') }, served)
    t.same(await statuses(app, 3, admin), [200, 200, 200])
    const { headers } = await app.inject(admin)
    t.same(Object.keys(headers).filter(name => name.includes('ratelimit')), [])
    for (const [name, key] of [['ip', '127.0.0.1'], ['user', 'root'], ['key', 'k']] as const) t.equal((await app.rateLimit.peek(name, key)).remaining, 1, name)
  }
  t.equal(asked, 8)
})

t.test('everybody else is limited as before: by address and user together, and on unknown routes', async t => {
  const { app } = await makeApp(t, { limits: [{ name: 'ip', limit: 2, per: '1m' }, { name: 'user', limit: 1, per: '1m', by: 'user' }], exempt: isRoot })
  app.get('/', served)
  const of = (user: string, url = '/') => ({ url, headers: { 'x-user': user } })
  t.same(await statuses(app, 1, of('ada')), [200])
  t.equal((await app.inject(of('ada'))).json().violated, 'user')
  t.same(await statuses(app, 1, of('bob', '/nowhere')), [404], 'the refusal by user has charged no address')
  t.equal((await app.inject(of('eve'))).json().violated, 'ip')
  t.equal((await app.inject(of('root'))).statusCode, 200)
})

t.test('exempt is asked after the session was read', async t => {
  const order: string[] = []
  const { app } = await makeApp(t, { limits: [{ ...one, name: 'ip' }], exempt: () => { order.push('exempt'); return true } })
  app.respite.requests.add<true, true>({ name: 's', phase: 'session', configKey: 's', plan: () => true, start: () => true, settle: (_, __, ___, done) => { order.push('session'); done() } })
  app.get('/', served)
  t.equal((await app.inject('/')).statusCode, 200)
  t.same(order, ['session', 'exempt'])
})

t.test('a function that throws, or answers neither true nor false, fails the request and opens no limit', async t => {
  const cases: [Exempt, RegExp][] = [
    [() => { throw new TypeError('no roles') }, /no roles/],
    [async () => { throw new TypeError('no roles') }, /no roles/],
    [() => { throw undefined }, /exempt function/], // eslint-disable-line no-throw-literal
    [(() => []) as unknown as Exempt, /'exempt' must return true or false, got \[\]/],
    [(async () => undefined) as unknown as Exempt, /got undefined/],
    [(() => 'yes') as unknown as Exempt, /got 'yes'/]
  ]
  for (const [exempt, message] of cases) {
    for (const limits of [every.slice(0, 1), every.slice(2)]) {
      const { app } = await makeApp(t, { limits, exempt })
      app.get('/', async () => t.fail('it was served'))
      const response = await app.inject('/')
      t.equal(response.statusCode, 500)
      t.match(response.json().message, message)
    }
  }
})
