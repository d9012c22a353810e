import t, { type Test } from 'tap'
import { bareApp, makeApp, served } from '../app.ts'
import rateLimit from '../../src/index.ts'

/** Whether a client from this address passes a limit that admits nobody. */
async function passes (t: Test, allow: readonly string[], remoteAddress: string): Promise<boolean> {
  const { app } = await makeApp(t, { allow, limits: [{ name: 'nobody', limit: 0, per: '1m' }] })
  app.get('/', served)
  const { statusCode } = await app.inject({ url: '/', remoteAddress })
  t.ok(statusCode === 200 || statusCode === 429)
  return statusCode === 200
}

t.test('addresses and ranges of IPv4 and IPv6 that are allowed pass, their neighbours do not', async t => {
  const cases: [entry: string, inside: string[], outside: string[]][] = [
    ['192.0.2.7', ['192.0.2.7', '::ffff:192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
    ['192.0.2.128/25', ['192.0.2.128', '192.0.2.255'], ['192.0.2.127', '192.0.3.128']],
    ['10.0.0.0/8', ['10.255.255.255'], ['11.0.0.0', '9.255.255.255', 'fd00::10']],
    ['0.0.0.0/0', ['203.0.113.1'], ['2001:db8::1']],
    ['203.0.113.9/32', ['203.0.113.9'], ['203.0.113.8']],
    ['2001:db8::7', ['2001:db8::7', '2001:DB8:0:0:0:0:0:7'], ['2001:db8::8']],
    ['2001:db8:1::/48', ['2001:db8:1::', '2001:db8:1:ffff::1'], ['2001:db8:2::']],
    ['2001:db8::/65', ['2001:db8::7fff:0:0:1'], ['2001:db8::8000:0:0:1']],
    ['::/0', ['2001:db8::1'], []],
    ['::1/128', ['::1'], ['::2', '127.0.0.1']]
  ]
  for (const [entry, inside, outside] of cases) {
    for (const address of inside) t.ok(await passes(t, ['198.51.100.1', entry], address), `${address} is in ${entry}`)
    for (const address of outside) t.notOk(await passes(t, ['198.51.100.1', entry], address), `${address} is not in ${entry}`)
  }
})

t.test('an entry in IPv4-mapped form means the IPv4 addresses', async t => {
  for (const [entry, address] of [['::ffff:192.0.2.7', '192.0.2.7'], ['::ffff:192.0.2.0/120', '192.0.2.200'], ['::ffff:0:0/96', '8.8.8.8']] as const) {
    t.ok(await passes(t, [entry], address), `${address} is in ${entry}`)
  }
  t.notOk(await passes(t, ['::ffff:192.0.2.0/120'], '192.0.3.0'))
})

t.test('who is allowed is neither counted nor told a budget, by limits of any kind', async t => {
  let asked = 0
  const { app } = await makeApp(t, {
    allow: ['192.0.2.0/24'],
    limits: [{ name: 'ip', limit: 1, per: '1m' }, { name: 'user', limit: 1, per: '1m', by: 'user' }]
  })
  const keyed = { name: 'key', limit: 1, per: '1m', key: () => { asked++; return 'k' } } as const
  app.get('/', { config: { rateLimit: keyed } }, served)
  app.get('/hook', { config: { rateLimit: false }, preHandler: app.rateLimit('ip') }, served)
  for (const url of ['/', '/', '/hook', '/nowhere']) {
    const { statusCode, headers } = await app.inject({ url, remoteAddress: '192.0.2.7', headers: { 'x-user': 'ada' } })
    t.equal(statusCode, url === '/nowhere' ? 404 : 200)
    t.same(Object.keys(headers).filter(name => name.includes('ratelimit')), [])
  }
  t.equal(asked, 0)
  t.equal((await app.rateLimit.peek('user', 'ada')).remaining, 1)
  t.equal((await app.inject({ url: '/', remoteAddress: '192.0.3.7', headers: { 'x-user': 'ada' } })).statusCode, 200)
})

t.test('the list is of the client\'s address, not of the proxy\'s and not of what the client writes', async t => {
  const { app } = await makeApp(t, { allow: ['192.0.2.7', '10.0.0.1'], limits: [{ name: 'nobody', limit: 0, per: '1m' }] }, {
    redis: { embedded: true, clientIp: { trust: ['10.0.0.1'] } }
  })
  app.get('/', served)
  const status = async (remoteAddress: string, forwarded: string) =>
    (await app.inject({ url: '/', remoteAddress, headers: { 'x-forwarded-for': forwarded } })).statusCode
  t.equal(await status('10.0.0.1', '192.0.2.7'), 200)
  t.equal(await status('10.0.0.1', '198.51.100.1'), 429, 'the proxy is allowed, its client is not')
  t.equal(await status('10.0.0.1', '192.0.2.7, 198.51.100.1'), 429)
  t.equal(await status('198.51.100.1', '192.0.2.7'), 429)
})

t.test('an entry that is no address and no range fails the boot, with its place and value', async t => {
  const wrong = ['', 'localhost', '192.0.2', '192.0.2.256', '192.0.2.0/33', '192.0.2.0/-1', '192.0.2.0/', '192.0.2.0/8/8', '192.0.2.0/1.5', '192.0.2.0/ 8', ' 192.0.2.1',
    '2001:db8::/129', '2001:db8::/', 'fe80::1%eth0', 'fe80::1%eth0/64', '[::1]', '192.0.2.1:80', '*', 'loopback']
  for (const entry of wrong) {
    const app = await bareApp(t)
    app.register(rateLimit, { allow: ['192.0.2.1', entry] })
    await t.rejects(async () => { await app.ready() }, {
      code: 'FST_RSP_RATELIMIT_ALLOW_INVALID',
      message: `ratelimit: option 'allow[1]' must be an address or a CIDR range, got '${entry}'`
    }, entry)
  }
})
