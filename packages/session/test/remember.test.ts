import t, { type Test } from 'tap'
import { until } from '@respite/testing'
import type { SessionOptions } from '@respite/session'
import { makeApp } from './app.ts'
import { addRoutes, cookieOf } from './shop.ts'

const remember = { idle: '30d', absolute: '90d' } as const
const dayMs = 86_400_000

async function shop (t: Test, options: SessionOptions = { remember }) {
  const app = addRoutes(await makeApp(options))
  t.teardown(() => app.close())
  const login = (payload: object) => app.inject({ method: 'POST', url: '/login/ada', payload })
  return { app, login }
}

const daysUntil = (date: Date) => Math.round((date.getTime() - Date.now()) / dayMs)

t.test('a login that says so lives by the option\'s ends, and its cookie stays for the longer one', async t => {
  const { app, login } = await shop(t)
  const response = await login({ remember: true })
  t.match(response.headers['set-cookie'], /^__Host-sid=[^;]+; Max-Age=7776000; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  const [info] = await app.sessions.list('ada')
  t.same([info!.remembered, daysUntil(info!.idleUntil), daysUntil(info!.expiresAt)], [true, 30, 90])
  t.equal((await app.inject({ url: '/me', headers: { cookie: cookieOf(response) } })).statusCode, 200)
})

t.test('one that does not ends as before, also after one that did', async t => {
  const { app, login } = await shop(t)
  const remembered = await login({ remember: true })
  const response = await app.inject({ method: 'POST', url: '/login/ada', payload: { remember: false }, headers: { cookie: cookieOf(remembered) } })
  t.notMatch(response.headers['set-cookie'], /Max-Age/)
  const [info, ...more] = await app.sessions.list('ada')
  t.same([info!.remembered, more], [false, []])
  t.ok(info!.expiresAt.getTime() - Date.now() <= 12 * 3_600_000)
})

t.test('a second login in the same request decides about the cookie', async t => {
  const app = await makeApp({ remember })
  t.teardown(() => app.close())
  app.post('/twice', async (_, reply) => {
    await reply.login('ada', { remember: true })
    return await reply.login('bob')
  })
  t.notMatch((await app.inject({ method: 'POST', url: '/twice' })).headers['set-cookie'], /Max-Age/)
})

t.test('a new secret comes in a cookie that stays until the absolute end, and a touch prolongs by the idle time of its own', async t => {
  const { app, login } = await shop(t, { remember: { idle: '10m', absolute: '20m' }, idle: '2m', touchEvery: 0, rotateEvery: '200ms', grace: '100ms' })
  let cookie = cookieOf(await login({ remember: true }))
  const renewed: string[] = []
  app.sessions.on('renewed', ({ id }) => { renewed.push(id) })
  const first = cookie
  await until('a new secret', async () => {
    const answer = await app.inject({ url: '/me', headers: { cookie } })
    t.equal(answer.statusCode, 200)
    if (answer.headers['set-cookie'] === undefined) return false
    const maxAge = Number(/; Max-Age=(\d+)/.exec(String(answer.headers['set-cookie']))?.[1])
    t.ok(maxAge > 1_100 && maxAge <= 1_200, `${maxAge} s are left of 20 min`)
    cookie = cookieOf(answer)
    return cookie !== first
  })
  const before = renewed.length
  await until('a touch', async () => (await app.inject({ url: '/me', headers: { cookie } })).statusCode === 200 && renewed.length > before)
  const [info] = await app.sessions.list('ada')
  t.ok(info!.idleUntil.getTime() - Date.now() > 540_000, 'not the 2 min of the others')
})

t.test('without the option, and with what is neither true nor false, the login is refused and says why', async t => {
  const without = await shop(t, {})
  t.match((await without.login({ remember: true })).json(), { statusCode: 500, code: 'FST_RSP_SESSION_REMEMBER', message: /remember: true needs the option 'remember': \{ idle, absolute \}/ })
  await t.rejects(without.app.sessions.login('ada', { remember: true }), { code: 'FST_RSP_SESSION_REMEMBER' })
  const { app, login } = await shop(t)
  t.match((await login({ remember: 'off' })).json(), { code: 'FST_RSP_SESSION_REMEMBER', message: /must be true or false, got 'off'/ })
  t.same(await app.sessions.list('ada'), [])
  await app.sessions.login('ada', { remember: true })
  t.match(await app.sessions.list('ada'), [{ remembered: true }])
})

t.test('a visitor is not remembered', async t => {
  const { app } = await shop(t)
  t.notMatch((await app.inject({ method: 'POST', url: '/cart', payload: ['tea'] })).headers['set-cookie'], /Max-Age/)
})

t.test('ends that make no sense are refused at boot', async t => {
  const refused = (options: SessionOptions, message: RegExp) => t.rejects(makeApp(options), { message })
  await refused({ remember: { idle: '30d' } as never }, /'remember\.absolute' is missing/)
  await refused({ remember: { idle: '91d', absolute: '90d' } }, /remember\.idle \(7862400000 ms\) must not exceed remember\.absolute \(7776000000 ms\)/)
  await refused({ touchEvery: '10m', remember: { idle: '5m', absolute: '1d' } }, /touchEvery \(600000 ms\) must be below remember\.idle \(300000 ms\)/)
  await refused({ remember: { idle: '30d', absolute: '900d' } }, /remember\.absolute/)
})
