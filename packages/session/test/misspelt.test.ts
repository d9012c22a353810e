import t from 'tap'
import { makeApp } from './app.ts'
import { addRoutes, bearer, cookieOf, loggedIn, status } from './shop.ts'

t.test('a log-in whose options are misspelt or of another kind is refused, names them, and changes nothing', async t => {
  const app = addRoutes(await makeApp({ perUser: { max: 9, onExceed: 'evict-oldest' } }))
  t.teardown(() => app.close())
  const visitor = cookieOf(await app.inject({ method: 'POST', url: '/cart', payload: ['tea'] }))
  const refused: [options: object, message: RegExp][] = [
    [{ remmeber: true }, /there is no option 'remmeber', only data, carry, remember, transport/],
    [{ carry: 'cart' }, /'carry' must be an array of field names, got 'cart'/],
    [{ carry: ['cart', 7] }, /'carry' must be .*got \[ 'cart', 7 \]/],
    [{ data: 'hush hush' }, /^(?!.*hush).*'data' must be an object of fields, got a string/],
    [{ data: ['hush hush'] }, /^(?!.*hush).*got an array/],
    [{ data: null }, /got null/],
    [['carry'], /the options must be an object/]
  ]
  for (const [options, message] of refused) {
    const answer = await app.inject({ method: 'POST', url: '/login/ada', payload: options, headers: { cookie: visitor } })
    t.match(answer.json(), { statusCode: 500, code: 'FST_RSP_SESSION_LOGIN_OPTION', message }, JSON.stringify(options))
    t.equal(answer.headers['set-cookie'], undefined)
    if (!('carry' in options)) await t.rejects(app.sessions.login('ada', options as never), { code: 'FST_RSP_SESSION_LOGIN_OPTION' })
  }
  t.strictSame(await app.sessions.list('ada'), [])
  t.strictSame((await app.inject({ url: '/open', headers: { cookie: visitor } })).json().cart, ['tea'])
})

t.test('a revoke that is not said in one of its four ways ends nothing, and shows no id', async t => {
  const app = addRoutes(await makeApp({ perUser: { max: 9, onExceed: 'evict-oldest' } }))
  t.teardown(() => app.close())
  const tokens = [await loggedIn(app), await loggedIn(app)]
  const id = (await app.sessions.list('ada'))[0]!.id
  const refused = [
    {}, undefined, { id, userid: 'bob' }, { id, userId: undefined }, { id: undefined }, { id: '' }, { id, userId: 'ada', except: id },
    { userId: 'ada', exept: id }, { userId: 'ada', except: undefined }, { userId: 'ada', except: '' }, { userId: undefined }, { except: id }
  ]
  for (const what of refused) {
    await t.rejects(app.sessions.revoke(what as never), { code: 'FST_RSP_SESSION_REVOKE_WHAT', message: new RegExp(`^(?!.*${id}).*got \\{`) }, JSON.stringify(what))
  }
  await t.rejects(app.sessions.revoke({ id, userid: 'bob' } as never), { message: /got \{ id: string, userid: string \}$/ })
  for (const token of tokens) t.equal(await status(app, token), 200)
})

t.test('who listens to an event that there is not is told so', async t => {
  const app = await makeApp()
  t.teardown(() => app.close())
  for (const name of ['logout', 'toString', '__proto__', undefined]) {
    t.throws(() => app.sessions.on(name as never, () => undefined), { code: 'FST_RSP_SESSION_EVENT_UNKNOWN' }, String(name))
  }
  t.throws(() => app.sessions.on('revoked', undefined as never), { message: /got \[ 'revoked', undefined \]/ })
})

t.test('a log-in for a program on a page that has a cookie session rotates as the program\'s', async t => {
  const app = addRoutes(await makeApp())
  t.teardown(() => app.close())
  app.post('/both', async (_, reply) => {
    await reply.login('ada', { transport: 'bearer' })
    return await reply.rotate()
  })
  const cookie = cookieOf(await app.inject({ method: 'POST', url: '/login/ada' }))
  const answer = await app.inject({ method: 'POST', url: '/both', headers: { cookie } })
  t.match(answer.headers['set-cookie'], /^__Host-sid=; Max-Age=0/)
  t.equal(await status(app, answer.json().token), 200)
  t.equal((await app.inject({ url: '/me', headers: bearer(cookie.split('=')[1]!) })).statusCode, 401)
})
