import t from 'tap'
import rateLimit from '../../src/index.ts'
import { bareApp, makeApp, seriesOf, served } from '../app.ts'

const from = (remoteAddress: string, url = '/') => ({ url, remoteAddress })

t.test('who is denied gets a 403 on every route, unknown ones and those without limits too, and is counted by no limit', async t => {
  let handled = 0
  const { app } = await makeApp(t, { deny: ['192.0.2.0/24', '2001:db8::/32'], limits: [{ name: 'all', limit: 1, per: '1m', key: () => 'k' }, { name: 'ip', limit: 1, per: '1m' }] })
  const handler = async () => { handled++; return 'served' }
  app.get('/', handler)
  app.get('/health', { config: { rateLimit: false } }, handler)
  for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8::1']) {
    for (const url of ['/', '/health', '/nowhere']) {
      const response = await app.inject(from(address, url))
      t.equal(response.statusCode, 403, `${address} ${url}`)
      t.match(response.json(), { code: 'FST_RSP_RATELIMIT_DENIED', message: 'requests from this address are not served' })
      t.equal(response.headers['retry-after'], undefined, 'no time would help')
    }
  }
  t.equal((await app.inject({ ...from('192.0.2.7'), method: 'OPTIONS' })).statusCode, 403)
  t.equal(handled, 0)
  t.equal((await app.rateLimit.peek('all', 'k')).remaining, 1)
  t.equal((await app.rateLimit.peek('ip', '192.0.2.7')).remaining, 1)
  t.equal((await app.inject(from('192.0.3.7'))).statusCode, 200)
  t.same(await seriesOf(app, 'rate_limit_denied_total'), { '': 10 })
})

t.test('who is denied and allowed is denied', async t => {
  const { app } = await makeApp(t, { allow: ['192.0.2.0/24'], deny: ['192.0.2.7'] })
  app.get('/', served)
  t.equal((await app.inject(from('192.0.2.7'))).statusCode, 403)
  t.equal((await app.inject(from('192.0.2.8'))).statusCode, 200)
})

t.test('the client is denied, not its proxy, and nobody by what he writes', async t => {
  const { app } = await makeApp(t, { deny: ['192.0.2.7', '10.0.0.1'] }, { redis: { embedded: true, clientIp: { trust: ['10.0.0.1'] } } })
  app.get('/', served)
  const status = async (remoteAddress: string, forwarded: string) => (await app.inject({ url: '/', remoteAddress, headers: { 'x-forwarded-for': forwarded } })).statusCode
  t.equal(await status('10.0.0.1', '192.0.2.7'), 403)
  t.equal(await status('10.0.0.1', '198.51.100.1'), 200)
  t.equal(await status('198.51.100.1', '192.0.2.7'), 200)
})

t.test('an entry that is no address and no range fails the boot, with its place and value', async t => {
  for (const entry of ['', 'localhost', '192.0.2.0/33', 'fe80::1%eth0']) {
    const app = await bareApp(t)
    app.register(rateLimit, { deny: ['192.0.2.1', entry] })
    await t.rejects(async () => { await app.ready() }, {
      code: 'FST_RSP_RATELIMIT_DENY_INVALID', message: `ratelimit: option 'deny[1]' must be an address or a CIDR range, got '${entry}'`
    }, entry)
  }
})
