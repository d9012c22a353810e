import t from 'tap'
import rateLimit, { type LimitOptions } from '../../src/index.ts'
import { bareApp, makeApp, served, statuses } from '../app.ts'
import { comparedPrefix, countsOn } from '../../src/http/scope.ts'

const one = { name: 'scoped', limit: 1, per: '1m' } as const

t.test('a limit of some methods counts these alone, HEAD with GET', async t => {
  for (const more of [{}, { by: 'user' }, { key: () => 'k' }] as const) {
    const { app } = await makeApp(t, { limits: [{ ...one, ...more, methods: ['POST', 'DELETE'] }, { ...one, ...more, name: 'reads', methods: ['GET'] }] })
    app.route({ method: ['GET', 'POST', 'DELETE', 'PUT'], url: '/', handler: served })
    const status = async (method: 'GET' | 'HEAD' | 'POST' | 'DELETE' | 'PUT') => (await app.inject({ method, url: '/' })).statusCode
    t.same([await status('POST'), await status('DELETE')], [200, 429])
    t.same([await status('PUT'), await status('PUT')], [200, 200])
    t.same([await status('HEAD'), await status('GET')], [200, 429])
    t.equal((await app.inject({ method: 'PUT', url: '/' })).headers['x-ratelimit-limit'], undefined)
  }
})

t.test('a limit of a prefix counts what lies below it, unknown paths too, whole segments', async t => {
  for (const more of [{}, { by: 'user' }, { key: () => 'k' }] as const) {
    const { app } = await makeApp(t, { limits: [{ ...one, ...more, limit: 3, prefix: '/api/' }] })
    app.get('/', served)
    app.get('/apix', served)
    app.register(async child => { child.get('/:id', served) }, { prefix: '/api' })
    app.get('/files/*', served)
    t.same([...await statuses(app, 1, '/api/7'), ...await statuses(app, 1, '/api/no/where'), ...await statuses(app, 1, '/api')], [200, 404, 404])
    for (const url of ['/api/7', '/api?x=1', '/api/none/such']) t.equal((await app.inject(url)).statusCode, 429, url)
    for (const url of ['/', '/apix', '/files/api/x', '/?next=/api']) t.equal((await app.inject(url)).statusCode, 200, url)
  }
})

t.test('no spelling of a path leaves its limit', async t => {
  const app = await bareApp(t, { server: { routerOptions: { caseSensitive: false, ignoreDuplicateSlashes: true } } })
  await app.register(rateLimit, { limits: [{ ...one, prefix: '/api' }] })
  app.get('/:a/:b', served)
  app.get('/*', served)
  t.equal((await app.inject('/api/x')).statusCode, 200)
  for (const url of ['/API/x', '//api//x', '/%61pi/x', '/a%70i/x?y', '/api/x#y']) t.equal((await app.inject(url)).statusCode, 429, url)
  t.equal((await app.inject('/other/api')).statusCode, 200)
})

t.test('where the pattern of a route tells, its requests are not looked at', t => {
  const counts = (prefix: string, pattern: string | undefined) => {
    const answer = countsOn({ methods: undefined, prefix: comparedPrefix(prefix) }, pattern)
    return typeof answer === 'function' ? 'asks' : answer
  }
  const cases: [prefix: string, pattern: string | undefined, answer: unknown][] = [
    ['/', '/x', true], ['/api', '/api', true], ['/api', '/api/:id', true], ['/API', '/api/*', true], ['/api', '//api/x', true],
    ['/api', '/apix', false], ['/api', '/apix/:id', false], ['/api', '/v1/:id', false], ['/api', '/x*', false],
    ['/api', '/:any', 'asks'], ['/api', '*', 'asks'], ['/api', '/api*', 'asks'], ['/api/v1', '/api/:version', 'asks'], ['/api', undefined, 'asks'], ['/api', '/ap:rest', 'asks']
  ]
  for (const [prefix, pattern, answer] of cases) t.equal(counts(prefix, pattern), answer, `${prefix} ${pattern}`)
  t.end()
})

t.test('a URL in absolute form is read as the router reads it', t => {
  const counts = countsOn({ methods: undefined, prefix: '/api' }, undefined) as (request: { url: string }) => boolean
  for (const url of ['http://a.example/api/x', 'https://a.example/api', '/api;v=1', '/api?x']) t.ok(counts({ url }), url)
  for (const url of ['http://a.example/', '/ap', '/x/api', 'http://api/x']) t.notOk(counts({ url }), url)
  t.end()
})

t.test('a scope that makes no sense fails the boot', async t => {
  const wrong: [Partial<LimitOptions>, RegExp][] = [
    [{ methods: [] }, /'limits\[0\]\.methods' must NOT have fewer than 1 items/],
    [{ methods: ['get'] }, /'limits\[0\]\.methods\[0\]' .*got 'get'/],
    [{ methods: ['OPTIONS'] }, /'limits\[0\]\.methods\[0\]' .*got 'OPTIONS'/],
    [{ prefix: 'api' }, /'limits\[0\]\.prefix' .*got 'api'/],
    [{ prefix: '/api?x' }, /'limits\[0\]\.prefix' .*got '\/api\?x'/]
  ]
  for (const [more, message] of wrong) await t.rejects(makeApp(t, { limits: [{ ...one, ...more }] }), { code: 'FST_RSP_OPTION_INVALID', message })
  for (const more of [{ methods: ['GET'] }, { prefix: '/api' }]) {
    await t.rejects(makeApp(t, { named: [{ ...one, ...more }] }), { code: 'FST_RSP_RATELIMIT_LIMIT_INVALID', message: /belong to the plugin's 'limits'/ })
    const { app } = await makeApp(t)
    t.throws(() => app.get('/', { config: { rateLimit: { ...one, ...more } } }, served), { code: 'FST_RSP_RATELIMIT_ROUTE_INVALID', message: /belong to the plugin's 'limits'/ })
  }
})
