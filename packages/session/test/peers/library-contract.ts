import type { StoredSession } from '@respite/session/store'
import { gate } from '@respite/testing'
import type { Test } from 'tap'
import { asked, Jar, type LibraryOptions, type MakeApp, promised, type Step } from './apps.ts'

const steps: Record<string, Step> = {
  read: session => ({ user: session.user ?? null, cart: session.cart ?? null }),
  login: async (session, current) => {
    await promised(done => session.regenerate(done))
    current().user = 'ada'
    current().big = 'æ: {*}'
  },
  cart: session => { session.cart = ['tea'] },
  drop: session => { delete session.cart },
  logout: session => promised(done => session.destroy(done)),
  end: session => ({ maxAge: session.cookie.maxAge, original: session.cookie.originalMaxAge })
}

/** What an app of one of the libraries finds over the store; run for each library, in memory and over servers. */
export function libraryContract (t: Test, make: MakeApp, base: () => LibraryOptions = () => ({})): void {
  const open = (t: Test, more: Record<string, Step> = {}, options: LibraryOptions = {}) =>
    make(t, { ...steps, ...more }, { ...base(), ...options, session: { ...base().session, ...options.session } })

  t.test('keeps, changes and deletes what a browser\'s session holds', async t => {
    const { call } = await open(t)
    const jar = new Jar()
    await call('cart', jar)
    t.same((await call('read', jar)).body, { user: null, cart: ['tea'] })
    await call('drop', jar)
    t.same((await call('read', jar)).body, { user: null, cart: null })
    t.same((await call('read')).body, { user: null, cart: null }, 'another browser has another session')
  })

  t.test('regenerate gives a new id, and the old one opens nothing', async t => {
    const { call } = await open(t)
    const jar = new Jar()
    await call('cart', jar)
    const before = jar.cookie
    await call('login', jar)
    t.not(jar.cookie, before)
    t.same((await call('read', jar)).body, { user: 'ada', cart: null })
    t.same((await call('read', Object.assign(new Jar(), { cookie: before }))).body, { user: null, cart: null })
  })

  t.test('destroy ends the session', async t => {
    const { call } = await open(t)
    const jar = new Jar()
    await call('login', jar)
    const { cookie } = jar
    await call('logout', jar)
    t.same((await call('read', Object.assign(new Jar(), { cookie }))).body, { user: null, cart: null })
  })

  t.test('a save that comes after the end brings nothing back, fails nothing, and is told', async t => {
    const handler = gate()
    const { app, call } = await open(t, {
      slow: async session => {
        await handler.pass()
        session.cart = ['late']
      }
    })
    const jar = new Jar()
    await call('login', jar)
    const { cookie } = jar
    const lost: string[] = []
    app.sessions.on('lost', ({ id }) => lost.push(id))
    const slow = call('slow', Object.assign(new Jar(), { cookie }))
    await handler.reached
    await call('logout', Object.assign(new Jar(), { cookie }))
    handler.open()
    t.equal((await slow).status, 200)
    t.equal(lost.length, 1)
    t.same((await call('read', Object.assign(new Jar(), { cookie }))).body, { user: null, cart: null })
  })

  t.test('concurrent requests of one browser all succeed, and one of their writes is there as a whole', async t => {
    let n = 0
    const { call } = await open(t, {
      write: session => { session.cart = [++n, 'x'.repeat(100)] }
    })
    const jar = new Jar()
    await call('login', jar)
    const { cookie } = jar
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('write', Object.assign(new Jar(), { cookie }))))
    t.same(new Set(answers.map(answer => answer.status)), new Set([200]))
    const { user, cart } = (await call('read', jar)).body as { user: string, cart: [number, string] }
    t.equal(user, 'ada')
    t.ok(cart[0] >= 1 && cart[0] <= 20 && cart[1].length === 100)
  })

  t.test('the age of the cookie is how long the session may be idle, and it is told what is left', async t => {
    const { call, store } = await open(t, {}, { cookie: { maxAge: 90_000 } })
    const jar = new Jar()
    await call('login', jar)
    const { maxAge, original } = (await call('end', jar)).body as { maxAge: number, original: number }
    // express-session takes the age that it was given, and reads it off the clock again.
    t.ok(original > 60_000 && original <= 90_000, `${original}`)
    t.ok(maxAge > 60_000 && maxAge <= 90_000)
    const all = await asked<StoredSession[]>(done => store.all(done))
    const left = Math.max(...all!.map(one => new Date(one.cookie.expires!).getTime())) - Date.now()
    t.ok(left > 60_000 && left <= 90_000)
  })
}
