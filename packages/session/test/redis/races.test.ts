import { gate, until } from '@respite/testing'
import type { Redis } from 'ioredis'
import t from 'tap'
import { bearer, loggedIn, slowApp, status } from '../shop.ts'
import { beforeItsFill, copiesOf, openHouse } from './house.ts'

/** Public ids of the copies that are not marked dead. */
async function alive (client: Redis): Promise<(string | undefined)[]> {
  return [...(await copiesOf(client)).values()].filter(copy => copy.x === undefined).map(copy => copy.i)
}

t.test('T1: of many logins of one user at once, in two instances, exactly one lives', async t => {
  const house = await openHouse(t)
  const apps = [await house.app({ durableDeadline: '20s' }), await house.app({ durableDeadline: '20s' })]
  for (let round = 0; round < 4; round++) {
    const tokens = await Promise.all(Array.from({ length: 40 }, (_, i) => loggedIn(apps[i % 2]!)))
    const answers = await Promise.all(tokens.map(async (token, i) => await status(apps[(i + 1) % 2]!, token)))
    t.same(answers.filter(code => code === 200), [200])
    t.same(answers.filter(code => code !== 401 && code !== 200), [])
    const listed = await apps[0]!.sessions.list('ada')
    t.equal(listed.length, 1)
    t.ok((await alive(house.client)).length <= 1)
    // The last one's copy may have been refused, since others were ahead of it: a later request fills it.
    const winner = tokens[answers.indexOf(200)]!
    await until('the copy of the one that lives', async () => {
      t.equal(await status(apps[0]!, winner), 200)
      return String(await alive(house.client)) === listed[0]!.id
    })
  }
})

t.test('T1: a login that resolved is alone, also when the one before it has not yet told Redis whom it ended', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(), await house.app()]
  const first = await loggedIn(here)
  t.equal(await status(there, first), 200)
  const committed = gate()
  here.watched.after.set('login', () => committed.pass())
  const second = loggedIn(here)
  await committed.reached
  const third = await loggedIn(there)
  for (const app of [here, there]) t.equal(await status(app, first), 401)
  committed.open()
  for (const app of [here, there]) t.same([await status(app, await second), await status(app, third)], [401, 200])
})

t.test('T2: a revoke by id resolves only when the session is refused, also if another call has ended it and not yet told Redis', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(), await house.app()]
  const token = await loggedIn(here)
  const [info] = await here.sessions.list('ada')
  const committed = gate()
  here.watched.after.set('revoke', () => committed.pass())
  const revoking = here.sessions.revokeAll('ada')
  await committed.reached
  t.same(await there.sessions.revoke({ id: info!.id }), { ended: [] })
  for (const app of [here, there]) t.equal(await status(app, token), 401)
  committed.open()
  await revoking
})

t.test('T2: a save after a log-out elsewhere brings nothing back, sets no cookie, and is told', async t => {
  const house = await openHouse(t)
  const [here, there] = [await slowApp(house), await house.app()]
  const lost: string[] = []
  here.sessions.on('lost', event => lost.push(event.id))
  const token = await loggedIn(here)
  const [info] = await here.sessions.list('ada')
  const slow = here.inject({ method: 'POST', url: '/slow/cart', payload: ['tea'], headers: bearer(token) })
  await here.handler.reached
  await there.sessions.revokeAll('ada')
  here.handler.open()
  t.equal((await slow).headers['set-cookie'], undefined)
  t.same(lost, [info!.id])
  for (const app of [here, there]) t.equal(await status(app, token), 401)
  t.same(await alive(house.client), [])
})

t.test('T2: a save that was committed before the log-out reaches Redis after it, and brings nothing back', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(), await house.app()]
  const token = await loggedIn(here)
  const committed = gate()
  here.watched.after.set('save', () => committed.pass())
  const saving = here.inject({ method: 'POST', url: '/cart', payload: ['tea'], headers: bearer(token) })
  await committed.reached
  await there.sessions.revokeAll('ada')
  committed.open()
  await saving
  for (const app of [here, there]) t.equal(await status(app, token), 401)
  t.same(await alive(house.client), [])
})

t.test('T2: the same for a touch', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app({ touchEvery: 0 }), await house.app()]
  const token = await loggedIn(there)
  const touched = gate()
  here.watched.after.set('touch', () => touched.pass())
  t.equal(await status(here, token), 200)
  await touched.reached
  await there.sessions.revokeAll('ada')
  touched.open()
  await here.close()
  t.equal(await status(there, token), 401)
  t.same(await alive(house.client), [])
})

t.test('T3: a fill that was under way when the session ended is refused', async t => {
  const house = await openHouse(t)
  const { here, there, token, resume } = await beforeItsFill(house)
  await there.sessions.revokeAll('ada')
  t.equal(await resume(), 200, 'it was alive when it was asked')
  for (const app of [here, there]) t.equal(await status(app, token), 401)
  t.same(await alive(house.client), [])
})

t.test('T4: the same, with Redis emptied after the session ended', async t => {
  const house = await openHouse(t)
  const { here, there, token, resume } = await beforeItsFill(house)
  await there.sessions.revokeAll('ada')
  await house.client.flushall()
  // Another request makes the gate anew: the old lease must not fit it.
  t.equal(await status(there, token), 401)
  await resume()
  for (const app of [here, there]) t.equal(await status(app, token), 401)
})

t.test('T5: fields that parallel requests set are all there', async t => {
  const house = await openHouse(t)
  const apps = [await house.app({ durableDeadline: '20s' }), await house.app({ durableDeadline: '20s' })]
  const token = await loggedIn(apps[0]!)
  const codes = await Promise.all(Array.from({ length: 100 }, async (_, i) =>
    (await apps[i % 2]!.inject({ method: 'POST', url: `/field/f${i}`, payload: { i }, headers: bearer(token) })).statusCode))
  t.same(new Set(codes), new Set([200]))
  for (const app of apps) t.equal(Object.keys((await app.inject({ url: '/fields', headers: bearer(token) })).json()).length, 100)
})

t.test('T16: all sessions end although Redis has lost what it knew of the user', async t => {
  const house = await openHouse(t)
  const app = await house.app({ perUser: { max: 9, onExceed: 'evict-oldest' } })
  const tokens = [await loggedIn(app), await loggedIn(app), await loggedIn(app)]
  for (const token of tokens) t.equal(await status(app, token), 200)
  for (const key of await house.client.keys('respite:v1:session:*:u')) await house.client.del(key)
  t.equal((await app.sessions.revokeAll('ada')).ended.length, 3)
  for (const token of tokens) t.equal(await status(app, token), 401)
})
