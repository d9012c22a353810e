import type { FastifyInstance } from 'fastify'
import { gate, until } from '@respite/testing'
import t from 'tap'
import type { Script } from '@respite/redis'
import { bearer, cookieOf, loggedIn, slowApp, status } from '../shop.ts'
import { everlasting, openRedisHouse } from './house.ts'

/** Holds an app's next run of a script until the test lets it go. */
function held (app: FastifyInstance, name: string) {
  const { link } = app.respite
  const run = link.run.bind(link)
  const step = gate()
  Object.assign(link, {
    async run (script: Script, ...rest: Parameters<typeof run> extends [unknown, ...infer Rest] ? Rest : never) {
      if (script.name !== `session.redis-only.${name}`) return await run(script, ...rest)
      Object.assign(link, { run })
      await step.pass()
      return await run(script, ...rest)
    }
  })
  return step
}

t.test('T1: of many log-ins of one user at once, in two instances, exactly one lives', async t => {
  const house = await openRedisHouse(t)
  const apps = [await house.app({ durableDeadline: '20s' }), await house.app({ durableDeadline: '20s' })]
  for (let round = 0; round < 4; round++) {
    const tokens = await Promise.all(Array.from({ length: 100 }, (_, i) => loggedIn(apps[i % 2]!)))
    const answers = await Promise.all(tokens.map(async (token, i) => await status(apps[(i + 1) % 2]!, token)))
    t.strictSame(answers.filter(code => code !== 401), [200])
    t.equal((await apps[0]!.sessions.list('ada')).length, 1)
  }
  t.strictSame(await everlasting(house.client), [])
  await until('what has ended is freed', async () => (await house.client.keys('*:data:*')).length === 1)
})

t.test('T1: a log-in that reaches Redis after its caller was told of a failure makes nothing, and ends nothing', async t => {
  const house = await openRedisHouse(t)
  const [here, there] = [await house.app({ durableDeadline: '200ms' }, { redis: { deadlineMs: '300ms' } }), await house.app()]
  const step = held(here, 'login')
  const late = await here.inject({ method: 'POST', url: '/login/ada', payload: { transport: 'bearer' } })
  t.match(late.json(), { statusCode: 503, code: 'FST_RSP_SESSION_STORE_TIMEOUT' })
  await step.reached
  const [again, [seconds]] = [await loggedIn(there), await house.client.time()]
  await until('the time by which it had to be there', async () => Number((await house.client.time())[0]) > Number(seconds) + 1)
  step.open()
  await here.close()
  t.equal(await status(there, again), 200)
  t.equal((await there.sessions.list('ada')).length, 1)
})

t.test('T2: a save after a log-out elsewhere brings nothing back, sets no cookie, and is told', async t => {
  const house = await openRedisHouse(t)
  const [here, there] = [await slowApp(house), await house.app()]
  const lost: string[] = []
  here.sessions.on('lost', event => lost.push(event.id))
  const token = await loggedIn(here)
  const [info] = await here.sessions.list('ada')
  const slow = here.inject({ method: 'POST', url: '/slow/cart', payload: ['tea'], headers: bearer(token) })
  await here.handler.reached
  t.strictSame(await there.sessions.revokeAll('ada'), { ended: [info!.id] })
  here.handler.open()
  t.equal((await slow).headers['set-cookie'], undefined)
  t.strictSame(lost, [info!.id])
  for (const app of [here, there]) t.equal(await status(app, token), 401)
  await until('nothing is left', async () => (await house.client.keys('*')).filter(key => key.includes('session')).length === 0)
})

for (const [step, does] of [['save', 'POST /cart'], ['touch', 'GET /me'], ['rotate', 'GET /me']] as const) {
  t.test(`T2: a ${step} that reaches Redis after the log-out brings nothing back`, async t => {
    const house = await openRedisHouse(t)
    const [here, there] = [await house.app({ touchEvery: step === 'touch' ? 0 : '1m', rotateEvery: '101ms', grace: '100ms' }), await house.app({ rotateEvery: 0 })]
    const cookie = cookieOf(await there.inject({ method: 'POST', url: '/login/ada', payload: {} }))
    if (step === 'rotate') await until('it is old enough', async () => (await there.sessions.list('ada'))[0]!.createdAt.getTime() + 200 < Number((await house.client.time())[0]) * 1_000)
    const late = held(here, step)
    const [method, url] = does.split(' ') as ['GET' | 'POST', string]
    const request = here.inject({ method, url, headers: { cookie }, ...(method === 'POST' && { payload: ['tea'] }) })
    await late.reached
    t.equal((await there.sessions.revokeAll('ada')).ended.length, 1)
    late.open()
    t.equal((await request).headers['set-cookie'], undefined)
    await here.close()
    t.equal((await there.inject({ url: '/me', headers: { cookie } })).statusCode, 401)
    await until('nothing is left', async () => (await house.client.keys('*')).filter(key => key.includes('session')).length === 0)
  })
}

t.test('T5: fields that parallel requests set are all there, and together they stay within the bound', async t => {
  const house = await openRedisHouse(t)
  const apps = [await house.app({ maxDataBytes: 4_096 }), await house.app({ maxDataBytes: 4_096 })]
  const token = await loggedIn(apps[0]!)
  const post = async (app: FastifyInstance, name: string, payload: object) => (await app.inject({ method: 'POST', url: `/field/${name}`, payload, headers: bearer(token) })).statusCode
  const codes = await Promise.all(Array.from({ length: 100 }, (_, i) => post(apps[i % 2]!, `f${i}`, { i })))
  t.strictSame(new Set(codes), new Set([200]))
  for (const app of apps) t.equal(Object.keys((await app.inject({ url: '/fields', headers: bearer(token) })).json()).length, 100)
  const big = await Promise.all(['x', 'y', 'z'].map((name, i) => post(apps[i % 2]!, name, { text: name.repeat(1_500) })))
  t.strictSame(big.sort(), [200, 500, 500])
})

t.test('T15: twenty parallel requests on an id that rotates: one successor, nobody is refused; used after its grace the old one ends the session', async t => {
  const house = await openRedisHouse(t)
  const options = { rotateEvery: '2s', grace: '1s' } as const
  const apps = [await house.app(options), await house.app(options)]
  const reused: string[] = []
  for (const app of apps) app.sessions.on('reuse', ({ id }) => reused.push(id))
  const cookie = cookieOf(await apps[0]!.inject({ method: 'POST', url: '/login/ada', payload: { data: { theme: 'dark' } } }))
  const [info] = await apps[0]!.sessions.list('ada')
  await until('it is old enough', async () => info!.createdAt.getTime() + 3_000 < Number((await house.client.time())[0]) * 1_000)
  const me = (app: FastifyInstance, cookie: string) => app.inject({ url: '/me', headers: { cookie } })
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => me(apps[i % 2]!, cookie)))
  t.strictSame(new Set(answers.map(answer => answer.statusCode)), new Set([200]))
  const renewed = answers.filter(answer => answer.headers['set-cookie'] !== undefined)
  t.equal(renewed.length, 1)
  const next = cookieOf(renewed[0]!)
  t.equal((await apps[1]!.inject({ url: '/fields', headers: { cookie: next } })).json().theme, 'dark')
  t.equal((await apps[0]!.sessions.list('ada')).length, 1)
  await until('the grace has ended', async () => (await me(apps[0]!, cookie)).statusCode === 401)
  await until('the session has ended', async () => (await me(apps[1]!, next)).statusCode === 401)
  t.strictSame(new Set(reused), new Set([info!.id]))
})

t.test('T16: when Redis has lost the ledger of a user, all sessions of the user have ended, and none comes back', async t => {
  const house = await openRedisHouse(t)
  const app = await house.app({ perUser: { max: 9, onExceed: 'evict-oldest' } })
  const other = await house.app({ perUser: { max: 9, onExceed: 'evict-oldest' } })
  const tokens = [await loggedIn(app), await loggedIn(app), await loggedIn(app)]
  for (const token of tokens) t.equal(await status(app, token), 200)
  await house.client.del(await house.client.keys('*:ledger'))
  for (const token of tokens) t.equal(await status(app, token), 401)
  const again = await loggedIn(app)
  for (const token of tokens) t.equal(await status(other, token), 401)
  t.equal(await status(other, again), 200)
  t.strictSame(await everlasting(house.client), [])
})

t.test('a session whose data Redis has evicted has ended, and is no empty one', async t => {
  const house = await openRedisHouse(t)
  const [here, there] = [await house.app(), await house.app()]
  const token = await loggedIn(here, 'ada', { cart: ['tea'] })
  const [data] = await house.client.keys('*:data:*') as [string]
  await house.client.del(data)
  t.equal((await here.inject({ method: 'POST', url: '/cart', payload: ['milk'], headers: bearer(token) })).statusCode, 200, 'a visitor may still be served')
  for (const app of [here, there]) t.equal(await status(app, token), 401)
  t.equal(await house.client.exists(data), 0)
})
