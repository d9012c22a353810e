import type { FastifyInstance, InjectOptions } from 'fastify'
import { connect } from 'node:net'
import t from 'tap'
import { serve } from '../journeys/server.ts'

const DASHBOARD_TOKEN = 'a token of a test, for the board.'
const local = { host: 'localhost:8080' }
const elsewhere = { remoteAddress: '192.0.2.7', headers: { host: 'app.example' } }

// Only whether one is let in: the events themselves have no end.
async function isLetIn (app: FastifyInstance, request: InjectOptions): Promise<boolean> {
  const { statusCode } = await app.inject({ url: '/dashboard', ...request })
  if (statusCode === 200) return true
  const { statusCode: events } = await app.inject({ url: '/dashboard/events', ...request })
  if (events !== 403) throw new TypeError(`the page answers ${statusCode}, the events ${events}`)
  return false
}

const signIn = (app: FastifyInstance, token: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: '/dashboard/session', remoteAddress: '192.0.2.7', headers: { host: 'app.example', ...headers }, payload: { token } })

t.test('whoever sits at this machine is let in', async t => {
  const { app } = await serve(t)
  for (const host of ['localhost', 'localhost:8080', 'LOCALHOST', '127.0.0.1:3000', '[::1]:8080', '[::1]']) t.ok(await isLetIn(app, { headers: { host } }), host)
  for (const remoteAddress of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) t.ok(await isLetIn(app, { remoteAddress, headers: local }), remoteAddress)
})

t.test('nobody else is, and is told how it can be opened', async t => {
  const { app } = await serve(t)
  for (const remoteAddress of ['192.0.2.7', '10.0.0.1', '::ffff:192.0.2.7', 'fe80::1', '128.0.0.1']) t.notOk(await isLetIn(app, { remoteAddress, headers: local }), remoteAddress)
  const { statusCode, body, headers } = await app.inject({ url: '/dashboard', ...elsewhere })
  t.equal(statusCode, 403)
  t.match(body, /DASHBOARD_TOKEN/)
  t.match(headers['content-type'], 'text/html')
  t.match((await app.inject({ url: '/dashboard/events', ...elsewhere })).json(), { error: /DASHBOARD_TOKEN/ })
  t.equal((await app.inject({ url: '/dashboard/sign-in', ...elsewhere })).statusCode, 403)
  t.equal((await signIn(app, DASHBOARD_TOKEN)).statusCode, 403, 'nor does any token help')
})

t.test('a name that was pointed at this machine is not one of its own', async t => {
  const { app } = await serve(t)
  for (const host of ['attacker.example', 'attacker.example:8080', 'localhost.attacker.example', 'localhost@attacker.example', '127.0.0.1.attacker.example', '127.1', '2130706433', '0.0.0.0', '[::]', '::1', 'localhost:8080:1', 'localhost,attacker.example']) {
    t.notOk(await isLetIn(app, { headers: { host } }), host)
  }
})

t.test('behind a proxy at this machine nobody is local, whoever the proxy speaks for', async t => {
  const { app } = await serve(t)
  for (const name of ['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded', 'X-Real-IP', 'Via', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'Forwarded-For', 'X-Original-Host', 'X-Envoy-External-Address', 'Fly-Client-IP', 'X-AppEngine-User-IP', 'X-Azure-ClientIP', 'Client-IP', 'Proxy-Connection', 'CDN-Loop']) {
    for (const value of ['127.0.0.1', '']) t.notOk(await isLetIn(app, { headers: { ...local, [name]: value } }), `${name}: ${value}`)
  }
})

t.test('nor behind one that hides itself, under this machine\'s own name, by the version in which nginx asks unless told otherwise', async t => {
  const { url } = await serve(t)
  const { port } = new URL(url)
  const statusOf = async (request: string) => {
    const socket = connect(Number(port), '127.0.0.1').setEncoding('utf8')
    socket.write(request)
    return (await socket.toArray()).join('').split(' ')[1]
  }
  const head = `Host: localhost:${port}\r\nConnection: close\r\n\r\n`
  t.equal(await statusOf(`GET /dashboard HTTP/1.1\r\n${head}`), '200')
  for (const path of ['/dashboard', '/dashboard/events']) t.equal(await statusOf(`GET ${path} HTTP/1.0\r\n${head}`), '403', path)
  t.equal(await statusOf('GET /dashboard HTTP/1.0\r\n\r\n'), '403', 'without a Host')
})

t.test('with the token one is let in for twelve hours, and until one signs out', async t => {
  const { app } = await serve(t, { DASHBOARD_TOKEN })
  t.notOk(await isLetIn(app, elsewhere))
  const { headers, statusCode } = await app.inject({ url: '/dashboard', ...elsewhere })
  t.match([statusCode, headers.location], [303, '/dashboard/sign-in'])
  t.match(await app.inject({ url: '/dashboard/sign-in', ...elsewhere }), { statusCode: 200, body: /DASHBOARD_TOKEN/ })
  const answer = await signIn(app, DASHBOARD_TOKEN)
  t.match(answer, { statusCode: 200, body: '{}', headers: { 'cache-control': 'no-store' } })
  const cookie = String(answer.headers['set-cookie'])
  t.match(cookie, /^dashboard=[\w.-]+; Path=\/dashboard; HttpOnly; SameSite=Strict; Max-Age=43200$/)
  t.notMatch(cookie, DASHBOARD_TOKEN)
  const pass = cookie.split(';')[0]!
  t.ok(await isLetIn(app, { ...elsewhere, headers: { ...elsewhere.headers, cookie: `other=1; ${pass}` } }))
  const out = await app.inject({ method: 'POST', url: '/dashboard/sign-out', ...elsewhere })
  t.match(out.headers['set-cookie'], /^dashboard=; .*Max-Age=0/)
})

t.test('over https the cookie is for https alone', async t => {
  const { app } = await serve(t, { DASHBOARD_TOKEN })
  const proxied = { remoteAddress: '127.0.0.1', headers: { host: 'app.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7' } }
  const answer = await app.inject({ method: 'POST', url: '/dashboard/session', ...proxied, payload: { token: DASHBOARD_TOKEN } })
  const cookie = String(answer.headers['set-cookie'])
  t.match(cookie, /^__Secure-dashboard=.*; Secure$/)
  const pass = cookie.split(';')[0]!
  t.ok(await isLetIn(app, { ...proxied, headers: { ...proxied.headers, cookie: pass } }))
  t.notOk(await isLetIn(app, { ...proxied, headers: { ...proxied.headers, cookie: pass.replace('__Secure-', '') } }), 'one from plain http does not count here')
})

t.test('a forged cookie opens nothing', async t => {
  const { app } = await serve(t, { DASHBOARD_TOKEN })
  const pass = String((await signIn(app, DASHBOARD_TOKEN)).headers['set-cookie']).split(';')[0]!
  for (const cookie of ['dashboard=', `dashboard=${DASHBOARD_TOKEN}`, `${pass}x`, pass.replace(/\d/, '9'), pass.replace('=', '=9'), `x${pass}`]) {
    t.notOk(await isLetIn(app, { ...elsewhere, headers: { ...elsewhere.headers, cookie } }), cookie.split('=')[0]!)
  }
  const other = await serve(t, { DASHBOARD_TOKEN: DASHBOARD_TOKEN.replace('test', 'foe') })
  t.notOk(await isLetIn(other.app, { ...elsewhere, headers: { ...elsewhere.headers, cookie: pass } }), 'of another token')
})

t.test('whoever guesses the token is stopped after five tries a minute', async t => {
  const { app } = await serve(t, { DASHBOARD_TOKEN })
  const tries = []
  for (let i = 0; i < 6; i++) tries.push((await signIn(app, `${i}`)).statusCode)
  t.same(tries, [403, 403, 403, 403, 403, 429])
  t.equal((await signIn(app, DASHBOARD_TOKEN)).statusCode, 429, 'with the right one, too')
})

t.test('a page of another origin can neither sign in nor out, nor listen', async t => {
  const { app } = await serve(t, { DASHBOARD_TOKEN })
  for (const headers of [{ origin: 'https://attacker.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }] as Array<Record<string, string>>) {
    t.equal((await signIn(app, DASHBOARD_TOKEN, headers)).statusCode, 403, JSON.stringify(headers))
    t.equal((await app.inject({ method: 'POST', url: '/dashboard/sign-out', headers: { ...local, ...headers } })).statusCode, 403)
    t.equal((await app.inject({ url: '/dashboard/events', headers: { ...local, ...headers } })).statusCode, 403)
  }
  t.equal((await signIn(app, DASHBOARD_TOKEN, { origin: 'http://app.example', 'sec-fetch-site': 'same-origin' })).statusCode, 200)
  t.equal((await signIn((await serve(t, { DASHBOARD_TOKEN })).app, DASHBOARD_TOKEN, { host: 'app.example:443', origin: 'https://app.example:443' })).statusCode, 403, 'ports are of the origin')
})

t.test('behind a proxy that gives the server another Host one can sign in: the browser says whose page it is', async t => {
  const { app } = await serve(t, { DASHBOARD_TOKEN })
  const headers = { host: 'localhost:8080', origin: 'https://app.example', 'x-forwarded-for': '192.0.2.7' }
  t.equal((await signIn(app, DASHBOARD_TOKEN, { ...headers, 'sec-fetch-site': 'same-origin' })).statusCode, 200)
  t.equal((await signIn(app, DASHBOARD_TOKEN, { ...headers, 'sec-fetch-site': 'cross-site' })).statusCode, 403)
  t.equal((await signIn(app, DASHBOARD_TOKEN, headers)).statusCode, 403, 'an old browser does not say it')
})

t.test('a cookie that somebody planted beside the right one locks nobody out', async t => {
  const { app } = await serve(t, { DASHBOARD_TOKEN })
  const pass = String((await signIn(app, DASHBOARD_TOKEN)).headers['set-cookie']).split(';')[0]!
  t.ok(await isLetIn(app, { ...elsewhere, headers: { ...elsewhere.headers, cookie: `dashboard=planted; ${pass}` } }))
})
