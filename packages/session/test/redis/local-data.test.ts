import type { FastifyInstance } from 'fastify'
import type { SessionOptions } from '@respite/session'
import { until } from '@respite/testing'
import t from 'tap'
import { servicesOf } from '../../src/session-services.ts'
import { Tokens } from '../../src/token.ts'
import { secrets } from '../grounds.ts'
import { bearer, loggedIn, status } from '../shop.ts'
import { copiesOf, type TestHouse } from './house.ts'
import { deafened, holdAnswer, kept, listened, localOf, openLocal } from './local-house.ts'

// Where a process keeps sessions whose data are in Redis alone, or before they are in the row.

const modes = ['behind', 'redis'] as const
/** What is saved reaches the row by what the test does alone. */
const options: SessionOptions = { flushEvery: '1h', touchEvery: '20m', durableDeadline: '10s' }
const around = { deadlineMs: 10_000 }

const value = (value: unknown) => ({ value })

async function set (app: FastifyInstance, token: string, name: string, value: unknown): Promise<void> {
  t.equal((await app.inject({ method: 'POST', url: `/field/${name}`, payload: { value }, headers: bearer(token) })).statusCode, 200)
}

async function fieldsOf (app: FastifyInstance, token: string): Promise<Record<string, unknown>> {
  return (await app.inject({ url: '/fields', headers: bearer(token) })).json()
}

const credentialOf = (token: string) => new Tokens(secrets, credential => credential).verify(token)!
const flushed = async (app: FastifyInstance, token: string) => await servicesOf.get(app.sessions)!.flusher!.flush(credentialOf(token))

async function rowOf (house: TestHouse, token: string): Promise<Record<string, unknown>> {
  const found = await house.watched.store.find(credentialOf(token).hash)
  return 'sid' in found ? Object.fromEntries([...found.fields].map(([name, json]) => [name, JSON.parse(json)])) : { gone: true }
}

for (const data of modes) {
  t.test(`data '${data}': a process reads its own saves at once, without the word of the server, and writes no row`, async t => {
    const house = await openLocal(t, { ...options, data }, around)
    const app = await house.app()
    const token = await loggedIn(app)
    await kept(app, token)
    const { missed } = deafened(app)
    for (const tea of ['green', 'black', 'white']) {
      await set(app, token, 'tea', tea)
      t.equal(localOf(app).size, 0, 'its own save has ended the copy')
      t.same(await fieldsOf(app, token), { tea: value(tea) })
      t.equal(localOf(app).size, 1)
      t.same(await fieldsOf(app, token), { tea: value(tea) }, 'from the copy in the process')
    }
    t.equal(app.watched.count('save') + app.watched.count('flush'), 0)
    t.ok(missed.length > 0, 'the server has spoken, and nobody has heard it')
  })

  t.test(`data '${data}': what another process saves ends the copy here by the word of the server`, async t => {
    const house = await openLocal(t, { ...options, data }, around)
    const [here, there] = [await house.app(), await house.app()]
    const token = await loggedIn(here)
    for (const app of [here, there]) await kept(app, token)
    await set(there, token, 'a', 1)
    await until('the word', () => localOf(here).size === 0)
    t.same(await fieldsOf(here, token), { a: value(1) })
    await set(here, token, 'b', 2)
    await until('the word', () => localOf(there).size === 0)
    t.same(await fieldsOf(there, token), { a: value(1), b: value(2) })
    t.same(await rowOf(house, token), {})
  })

  t.test(`data '${data}': fields that two processes set upon copies of the same age are all there`, async t => {
    const house = await openLocal(t, { ...options, data }, around)
    const [here, there] = [await house.app(), await house.app()]
    const token = await loggedIn(here)
    for (const app of [here, there]) {
      await kept(app, token)
      deafened(app)
    }
    for (let i = 0; i < 5; i++) for (const [at, app] of [here, there].entries()) await set(app, token, `f${i}-${at}`, i)
    t.equal(Object.keys(await fieldsOf(here, token)).length, 10, 'its own save was the last but one')
    await flushed(here, token)
    t.equal(Object.keys(await rowOf(house, token)).length, 10)
  })

  t.test(`data '${data}': a revoke reaches the copies of another process, whose save after it brings nothing back`, async t => {
    const house = await openLocal(t, { ...options, data }, around)
    const [here, there] = [await house.app(), await house.app()]
    const token = await loggedIn(here)
    await kept(there, token)
    await set(there, token, 'a', 1)
    await kept(there, token)
    const { missed } = deafened(there)
    await here.sessions.revokeAll('ada')
    await until('the lost word', () => missed.length > 0)
    // It takes the session for alive, as it may until it has heard; what it saves must not make it so.
    await there.inject({ method: 'POST', url: '/field/b', payload: { value: 2 }, headers: bearer(token) })
    t.equal(localOf(there).size, 0)
    for (const app of [here, there]) t.equal(await status(app, token), 401)
    t.same(await rowOf(house, token), { gone: true })
    t.same([...(await copiesOf(house.client)).values()].map(copy => copy.x), ['1'])
  })

  t.test(`data '${data}': a flush by another process while this one keeps what was before loses no field of either`, async t => {
    const house = await openLocal(t, { ...options, data }, around)
    const [here, there] = [await house.app(), await house.app()]
    const token = await loggedIn(here)
    await set(there, token, 'a', 1)
    await until('the copy with it', async () => { await kept(here, token); return (await fieldsOf(here, token)).a !== undefined })
    deafened(here)
    await flushed(there, token)
    t.same(await rowOf(house, token), { a: value(1) })
    t.equal(localOf(here).size, 1, 'it has not heard of the flush')
    await set(here, token, 'b', 2)
    t.same(await fieldsOf(here, token), { a: value(1), b: value(2) })
    await flushed(here, token)
    t.same(await rowOf(house, token), { a: value(1), b: value(2) })
  })

  t.test(`data '${data}': an answer of Redis that a save overtook is given, and not kept`, async t => {
    const house = await openLocal(t, { ...options, data }, around)
    const [here, there] = [await house.app(), await house.app()]
    const token = await loggedIn(there)
    await kept(there, token)
    const answer = holdAnswer(here)
    const asked = fieldsOf(here, token)
    await answer.reached
    const heard = listened(t, here)
    await set(there, token, 'a', 1)
    await until('the word', () => heard.some(key => key.includes(':s:')))
    answer.open()
    t.same(await asked, {}, 'as it was when it was asked')
    t.equal(localOf(here).size, 0)
    t.same(await fieldsOf(here, token), { a: value(1) })
  })

  t.test(`data '${data}': a wiped Redis ends the copies, keeps the login, and takes what no row has`, async t => {
    const house = await openLocal(t, { ...options, data }, around)
    const app = await house.app()
    const token = await loggedIn(app, 'ada', { theme: value('dark') })
    await set(app, token, 'a', 1)
    await kept(app, token)
    await house.client.flushall()
    await until('the word', () => localOf(app).size === 0)
    t.same(await fieldsOf(app, token), { theme: value('dark') })
    await set(app, token, 'b', 2)
    t.same(await fieldsOf(app, token), { theme: value('dark'), b: value(2) })
  })

  t.test(`data '${data}': a save upon a copy of before a wipe that was not heard of is in the row`, async t => {
    const house = await openLocal(t, { ...options, data }, around)
    const app = await house.app()
    const token = await loggedIn(app)
    await set(app, token, 'a', 1)
    await kept(app, token)
    deafened(app)
    await house.client.flushall()
    t.same(await fieldsOf(app, token), { a: value(1) }, 'it has not heard of it')
    await set(app, token, 'b', 2)
    t.same(await fieldsOf(app, token), { b: value(2) }, 'a is gone with Redis')
    t.same(await rowOf(house, token), { b: value(2) })
  })
}

t.test("data 'behind': a session that is answered from its copy is noted to be flushed, also when it was forgotten", async t => {
  const house = await openLocal(t, { ...options, data: 'behind', flushEvery: '50ms' }, around)
  const [app, saver] = [await house.app(), await house.app({ flushEvery: '1h' })]
  const { flusher } = servicesOf.get(app.sessions)!
  const note = flusher!.note.bind(flusher)
  // As where the queue is full.
  Object.assign(flusher!, { note () {} })
  const token = await loggedIn(app)
  await set(saver, token, 'a', 1)
  await until('the copy with it', async () => { await kept(app, token); return (await fieldsOf(app, token)).a !== undefined })
  Object.assign(flusher!, { note })
  const read = app.watched.count('find')
  t.same(await fieldsOf(app, token), { a: value(1) })
  await until('the flush', async () => (await rowOf(house, token)).a !== undefined)
  t.equal(app.watched.count('find'), read)
})
