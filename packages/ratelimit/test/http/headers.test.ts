import { startRedis, until } from '@respite/testing'
import t from 'tap'
import type { AlgorithmName } from '../../src/index.ts'
import { linkedApp, makeApp, served } from '../app.ts'

const algorithms: readonly AlgorithmName[] = ['fixed-window', 'sliding-log', 'sliding-counter', 'gcra']

t.test('an answer tells limit, remaining and reset in whole seconds, and a refusal when to try again', async t => {
  const { app, clock } = await makeApp(t, { limits: [{ name: 'a', limit: 2, per: '10s', algorithm: 'fixed-window' }] })
  app.get('/', served)
  const of = async () => {
    const { statusCode, headers } = await app.inject('/')
    return [statusCode, ...['limit', 'remaining', 'reset'].map(name => headers[`x-ratelimit-${name}`]), headers['retry-after']]
  }
  t.same(await of(), [200, '2', '1', '10', undefined])
  clock.nowMs += 2_500
  t.same(await of(), [200, '2', '0', '8', undefined])
  clock.nowMs += 1_000
  t.same(await of(), [429, '2', '0', '7', '7'])
  clock.nowMs += 6_499
  t.same(await of(), [429, '2', '0', '1', '1'])
  clock.nowMs += 1
  t.same(await of(), [200, '2', '1', '10', undefined])
})

t.test('of several limits the headers tell the one that is next to refuse', async t => {
  const { app, clock } = await makeApp(t, {
    limits: [
      { name: 'wide', limit: 10, per: '1h' },
      { name: 'narrow', limit: 3, per: '10s', by: 'user' },
      { name: 'tied', limit: 3, per: '20s' }
    ]
  })
  app.get('/', { config: { rateLimit: { name: 'key', limit: 2, per: '5s', key: () => 'k' } } }, served)
  const limitAndReset = async () => {
    const { headers } = await app.inject('/')
    return [headers['x-ratelimit-limit'], headers['x-ratelimit-remaining'], headers['x-ratelimit-reset']]
  }
  t.same(await limitAndReset(), ['2', '1', '5'], 'the least that remains, of whichever phase')
  clock.nowMs += 6_000
  t.same(await limitAndReset(), ['3', '1', '20'], 'of those that leave as much, the one that takes longest to come back')
  clock.nowMs += 1_000
  t.same(await limitAndReset(), ['3', '0', '20'])
  clock.nowMs += 30_000
  t.same(await limitAndReset(), ['2', '1', '5'])
  await app.inject('/')
  t.same(await limitAndReset(), ['2', '0', '5'], 'when refused, the one that refused')
})

t.test('the draft\'s headers tell all limits, in the order in which they are checked, with names in the form of RFC 9651', async t => {
  const { app } = await makeApp(t, {
    headers: ['draft'],
    limits: [
      { name: 'say "no" \\ twice', limit: 2, per: '1500ms' },
      { name: 'größe 限\ud800', limit: 5, per: '1h', by: 'user' }
    ]
  })
  app.get('/', { config: { rateLimit: { name: 'key', rate: '7/m', burst: 3, key: () => 'k' } } }, served)
  const first = (await app.inject('/')).headers
  t.equal(first['ratelimit-policy'], '"say \\"no\\" \\\\ twice";q=2;w=2, "gr%C3%B6%C3%9Fe %E9%99%90%EF%BF%BD";q=5;w=3600, "key";q=7;w=60')
  t.equal(first.ratelimit, '"say \\"no\\" \\\\ twice";r=1;t=2, "gr%C3%B6%C3%9Fe %E9%99%90%EF%BF%BD";r=4;t=3600, "key";r=2;t=9')
  t.equal(first['x-ratelimit-limit'], undefined)
  await app.inject('/')
  const refused = await app.inject('/')
  t.equal(refused.statusCode, 429)
  t.equal(refused.headers.ratelimit, '"say \\"no\\" \\\\ twice";r=0;t=2')
  t.equal(refused.headers['retry-after'], '2')
})

t.test('both forms together, and none at all but retry-after', async t => {
  const both = (await makeApp(t, { headers: ['x-ratelimit', 'draft'], limits: [{ name: 'a', limit: 1, per: '1m' }] })).app
  const none = (await makeApp(t, { headers: [], limits: [{ name: 'a', limit: 1, per: '1m' }] })).app
  for (const app of [both, none]) app.get('/', served)
  t.match((await both.inject('/')).headers, { 'x-ratelimit-limit': '1', ratelimit: '"a";r=0;t=60', 'ratelimit-policy': '"a";q=1;w=60' })
  await none.inject('/')
  const refused = await none.inject('/')
  t.same(Object.keys(refused.headers).filter(name => name.includes('ratelimit')), [])
  t.equal(refused.headers['retry-after'], '60')
})

t.test('a limit of 0, and a cost above the limit, are refused without a time to try again', async t => {
  const { app } = await makeApp(t)
  app.get('/never', { config: { rateLimit: { name: 'never', limit: 0, per: '1m' } } }, served)
  app.get('/dear', { config: { rateLimit: { name: 'dear', limit: 4, per: '1m', cost: 5 } } }, served)
  for (const [url, limit, remaining] of [['/never', '0', '0'], ['/dear', '4', '4'], ['/dear', '4', '4']] as const) {
    const { statusCode, headers } = await app.inject(url)
    t.match({ statusCode, ...headers }, { statusCode: 429, 'x-ratelimit-limit': limit, 'x-ratelimit-remaining': remaining })
    t.equal(headers['retry-after'], undefined)
  }
})

t.test('hazard 14: a client that sleeps retry-after succeeds, whatever the algorithm and wherever in a second it is', async t => {
  for (const algorithm of algorithms) {
    const { app, clock } = await makeApp(t, { limits: [{ name: 'a', limit: 3, per: '7s', algorithm }] })
    app.get('/', served)
    for (let round = 0; round < 40; round++) {
      clock.nowMs += (round * 577) % 1_900
      let response = await app.inject('/')
      if (response.statusCode === 200) continue
      t.equal(response.statusCode, 429)
      clock.nowMs += Number(response.headers['retry-after']) * 1_000
      response = await app.inject('/')
      t.equal(response.statusCode, 200, `${algorithm}, round ${round}`)
    }
  }
})

t.test('over Redis it is told by the time of Redis', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const app = await linkedApp(t, {}, { url: server.url }, app => {
    for (const algorithm of algorithms) app.get(`/${algorithm}`, { config: { rateLimit: { name: algorithm, limit: 2, per: '900ms', algorithm } } }, served)
  })
  for (const algorithm of algorithms) {
    const url = `/${algorithm}`
    let response = await app.inject(url)
    while (response.statusCode === 200) response = await app.inject(url)
    t.equal(response.headers['retry-after'], '1')
    t.match(response.headers, { 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' })
    await until('the time that was told to be over', async () => (await app.inject(url)).statusCode === 200, 5_000)
  }
})

t.test('hazard 14: within a fixed window the reset that is told moves by a second at most, and it is true', async t => {
  const { app, clock } = await makeApp(t, { limits: [{ name: 'a', limit: 50, per: '30s', algorithm: 'fixed-window' }] })
  app.get('/', served)
  const beganMs = clock.nowMs
  const told: number[] = []
  for (; clock.nowMs < beganMs + 30_000; clock.nowMs += 613) told.push(clock.nowMs + Number((await app.inject('/')).headers['x-ratelimit-reset']) * 1_000)
  t.ok(Math.max(...told) - Math.min(...told) <= 1_000, `${Math.min(...told)} to ${Math.max(...told)}`)
  t.ok(Math.min(...told) >= beganMs + 30_000, 'never too early')
  t.equal((await app.inject('/')).headers['x-ratelimit-remaining'], '49')
})

t.test('who waits for the reset that is told has all again, whatever the algorithm', async t => {
  for (const algorithm of algorithms) {
    const { app, clock } = await makeApp(t, { limits: [{ name: 'a', limit: 4, per: '9s', algorithm }] })
    app.get('/', served)
    for (let round = 0; round < 12; round++) {
      let { headers } = await app.inject('/')
      for (let more = round % 5; more > 0; more--) {
        clock.nowMs += 250
        headers = (await app.inject('/')).headers
      }
      clock.nowMs += Number(headers['x-ratelimit-reset']) * 1_000
      t.equal((await app.inject('/')).headers['x-ratelimit-remaining'], '3', `${algorithm}, round ${round}`)
      clock.nowMs += 9_001 * 2
    }
  }
})
