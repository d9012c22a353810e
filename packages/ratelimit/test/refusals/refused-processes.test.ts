import { startRedis, until } from '@respite/testing'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { RateLimitOptions } from '../../src/index.ts'
import { linkedApp, served } from '../app.ts'

const server = await startRedis()
const admin = new Redis(server.port)
t.teardown(async () => {
  admin.disconnect()
  await server.stop()
})

let apps = 0
const hour = { per: '1h', key: () => 'k' } as const

/** Two processes of an app that no other test knows. */
async function pair (t: Test, options: RateLimitOptions) {
  const link = { url: server.url, keyPrefix: `app${apps++}`, deadlineMs: 5_000 }
  const both = [await linkedApp(t, options, link, app => app.get('/', served)), await linkedApp(t, options, link, app => app.get('/', served))] as const
  await until('both to hear each other', () => both.every(app => app.respite.bus.instances === 2), 20_000)
  return both
}

/** Scripts that the server has run. */
async function scripts (): Promise<number> {
  const stats = await admin.info('commandstats')
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}

t.test('a refused client costs no call, and is answered alike, counting down', async t => {
  const [app] = await pair(t, { limits: [{ name: 'api', limit: 2, per: '1h', algorithm: 'fixed-window' }, { name: 'wide', limit: 9, per: '1h' }] })
  for (let i = 0; i < 2; i++) t.equal((await app.inject('/')).statusCode, 200)
  const first = await app.inject('/')
  const before = await scripts()
  for (let i = 0; i < 50; i++) {
    const next = await app.inject('/')
    t.equal(next.statusCode, 429)
    for (const name of ['x-ratelimit-limit', 'x-ratelimit-remaining']) t.equal(next.headers[name], first.headers[name])
    const [was, is] = [Number(first.headers['retry-after']), Number(next.headers['retry-after'])]
    t.ok(is > 3_000 && is <= was + 1, `${is} after ${was}`)
    t.equal(next.json().violated, 'api')
  }
  t.equal(await scripts(), before)
})

t.test('who may have missed that somebody was freed asks again', async t => {
  const [one, other] = await pair(t, { named: [{ name: 'sms', limit: 1, ...hour }] })
  await one.rateLimit.take('sms', 'k')
  t.match(await other.rateLimit.take('sms', 'k'), { allowed: false })
  // As a reset whose message is lost.
  const keys = await admin.keys(`*app${apps - 1}*limit:*`)
  t.equal(await admin.del(...keys), 1)
  t.match(await other.rateLimit.take('sms', 'k'), { allowed: false }, 'nobody has told it')
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until('the other to ask again', async () => (await other.rateLimit.take('sms', 'k')).allowed, 20_000)
})

for (const how of ['refund', 'reset'] as const) {
  t.test(`a ${how} in one process ends what another remembers`, async t => {
    const [one, other] = await pair(t, { named: [{ name: 'sms', limit: 1, ...hour }] })
    const admitted = await one.rateLimit.take('sms', 'k')
    for (const app of [one, other]) t.match(await app.rateLimit.take('sms', 'k'), { allowed: false, violated: 'sms' })
    const before = await scripts()
    for (const app of [one, other]) t.match(await app.rateLimit.take('sms', 'k'), { allowed: false })
    t.equal(await scripts(), before, 'both remember')
    if (how === 'refund') await one.rateLimit.refund('sms', 'k', admitted)
    else await one.rateLimit.reset('sms', 'k')
    await until('the other to hear of it', async () => (await other.rateLimit.take('sms', 'k')).allowed, 20_000)
    t.match(await one.rateLimit.take('sms', 'k'), { allowed: false }, 'here it is asked for at once')
    t.ok(await scripts() > before)
  })
}

t.test('refusals that may ban are counted where all processes count them', async t => {
  const [one, other] = await pair(t, { named: [{ name: 'sms', limit: 1, ...hour, ban: { after: 4, per: '1h', for: '2h' } }] })
  t.match(await one.rateLimit.take('sms', 'k'), { allowed: true })
  const before = await scripts()
  for (const app of [one, other, one, other]) t.match(await app.rateLimit.take('sms', 'k'), { allowed: false })
  t.equal(await scripts(), before + 4)
  t.ok((await other.rateLimit.take('sms', 'k')).retryAfterMs > 3_600_000, 'banned, by the refusals of both')
})

t.test('a smaller cost than the refused one is asked for', async t => {
  const [app] = await pair(t, { named: [{ name: 'bulk', limit: 5, ...hour }] })
  const take = async (cost: number) => (await app.rateLimit.take('bulk', 'k', { cost })).allowed
  t.same([await take(3), await take(4), await take(4), await take(2), await take(1)], [true, false, false, true, false])
})

t.test('a look is of the store, whatever is remembered', async t => {
  const [app] = await pair(t, { named: [{ name: 'sms', limit: 1, ...hour }] })
  for (let i = 0; i < 3; i++) await app.rateLimit.take('sms', 'k')
  await admin.flushall()
  t.match(await app.rateLimit.peek('sms', 'k'), { allowed: true, remaining: 1 })
})

t.test('a server that comes back empty is asked again, and while it is away each limit does what it says', async t => {
  const own = await startRedis()
  t.teardown(() => own.stop())
  const app = await linkedApp(t, { named: [{ name: 'sms', limit: 1, ...hour }, { name: 'auth', limit: 1, ...hour, onStoreError: 'closed' }] }, { url: own.url })
  for (const name of ['sms', 'auth']) t.same([await app.rateLimit.take(name, 'k'), await app.rateLimit.take(name, 'k')].map(({ allowed }) => allowed), [true, false])
  await own.kill()
  await until('the loss to be seen', () => app.respite.link.state === 'down', 20_000)
  t.match(await app.rateLimit.take('sms', 'k'), { allowed: true, by: 'local' })
  await t.rejects(app.rateLimit.take('auth', 'k'), { code: 'FST_RSP_RATELIMIT_STORE_DOWN' })
  await own.restart()
  await until('its return', () => app.respite.link.state === 'up', 20_000)
  t.match(await app.rateLimit.take('auth', 'k'), { allowed: true, by: 'store' })
})
