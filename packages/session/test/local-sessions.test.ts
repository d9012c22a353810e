import Fastify from 'fastify'
import redis, { randomToken } from '@respite/redis'
import { startRedis, until } from '@respite/testing'
import t from 'tap'
import { Copies, type Held } from '../src/copies.ts'
import { copyFields } from '../src/found-session.ts'
import { type LocalBounds, LocalSessions } from '../src/local-sessions.ts'
import { hashOf, newTag } from '../src/token.ts'
import { makeApp } from './app.ts'
import { handClock } from './contracts/session-store.ts'

const server = await startRedis()
const app = Fastify()
await app.register(redis, { url: server.url })
const { link, keyspace, invalidations } = app.respite
t.teardown(async () => {
  await app.close()
  await server.stop()
})
const copies = new Copies(link, keyspace)

/** What a process keeps, by a clock of the test's own. */
async function kept (bounds: Partial<LocalBounds> = {}) {
  const hand = handClock()
  let wallAheadMs = 0
  const clock = { monotonicMs: hand.monotonicMs, wallMs: () => hand.wallMs() + wallAheadMs, pass: hand.pass }
  let trusted = true
  const trust = { believes: () => trusted } as never
  const local = new LocalSessions({ copies, trust, invalidations, clock }, { maxAge: 60_000, maxItems: 100, maxBytes: 1_000_000, ...bounds })
  t.teardown(local.follow())
  await until('the word of the server', () => invalidations.armed && copies.eraOf('any') !== undefined)
  const read = (held: Held) => new Promise<string>((resolve, reject) => local.read(held, (error, reply) => error ? reject(error) : resolve(reply![0])))
  return {
    local,
    clock,
    distrust () { trusted = false },
    /** The wall clock alone goes on, as while a machine sleeps. */
    suspend (ms: number) { wallAheadMs += ms },
    /** A session that Redis has, after it was read. */
    async session (ttlMs = 3_600_000, text = 'tea') {
      const held = copies.hold({ tag: newTag(), hash: hashOf(randomToken()) })
      const lease = (await copies.lease(held.tag))!
      await copies.fill(held, lease, { version: 1, ttlMs, fields: copyFields({ sid: 'sid', userId: 'ada', capped: false, rememberMs: undefined, fields: new Map([['cart', JSON.stringify(text)]]) }) })
      const before = local.size
      // What was said of the fill may arrive after the first answer.
      await until('the copy', async () => await read(held) === 'HIT' && local.find(held) !== undefined).catch(error => { if (local.size > before) throw error })
      return held
    },
    read
  }
}

t.test('a copy ends with its session, whose remaining time counts down here', async t => {
  const { local, clock, session } = await kept({ maxAge: 3_600_000 })
  const held = await session(100_000)
  const first = local.find(held)!.leftMs
  t.ok(first > 90_000 && first <= 100_000)
  clock.pass(30_000)
  t.equal(local.find(held)!.leftMs, first - 30_000)
  clock.pass(70_000)
  t.equal(local.find(held), undefined)
  t.equal(local.size, 0)
})

t.test('a copy is used for no longer than its greatest age', async t => {
  const { local, clock, session } = await kept({ maxAge: 10_000 })
  const held = await session()
  clock.pass(9_999)
  t.match(local.find(held), { userId: 'ada', sid: 'sid' })
  clock.pass(1)
  t.equal(local.find(held), undefined)
})

t.test('a machine that slept has slept for its copies too: they end by whichever clock has gone further', async t => {
  const { local, suspend, session } = await kept({ maxAge: 10_000 })
  const held = await session()
  suspend(9_999)
  t.match(local.find(held), { userId: 'ada' })
  suspend(1)
  t.equal(local.find(held), undefined, 'as old as it may be')
  const ended = await session(5_000)
  suspend(-60_000)
  t.ok(local.find(ended)!.leftMs <= 5_000, 'a wall clock that was set back prolongs nothing')
  suspend(65_000)
  t.equal(local.find(ended), undefined, 'the session itself is over')
})

t.test('a copy is believed only while Redis would be', async t => {
  const { local, session, distrust } = await kept()
  const held = await session()
  distrust()
  t.equal(local.find(held), undefined)
})

t.test('a copy is believed only while the server is sure to be heard', async t => {
  const { local, session } = await kept()
  const held = await session()
  Object.defineProperty(invalidations, 'armed', { value: false, configurable: true })
  t.equal(local.find(held), undefined)
  delete (invalidations as { armed?: boolean }).armed
  t.match(local.find(held), { userId: 'ada' })
})

t.test('copies are bounded by number: the longest unused goes', async t => {
  const { local, session } = await kept({ maxItems: 2 })
  const all = [await session(), await session(), await session()]
  t.same(all.map(held => local.find(held) !== undefined), [false, true, true])
})

t.test('copies are bounded by bytes, and one that is larger than all may be is not kept', async t => {
  const { local, session, read } = await kept({ maxBytes: 30_000 })
  const all = [await session(1e6, 'x'.repeat(5_000)), await session(1e6, 'x'.repeat(5_000)), await session(1e6, 'x'.repeat(5_000))]
  t.same(all.map(held => local.find(held) !== undefined), [false, true, true])
  t.ok(local.bytes > 20_000 && local.bytes <= 30_000, `${local.bytes}`)
  const { session: large } = await kept({ maxBytes: 1_000_000 })
  const tooLarge = await large(1e6, 'x'.repeat(20_000))
  t.equal(await read(tooLarge), 'HIT')
  t.equal(local.find(tooLarge), undefined)
})

t.test('bounds that are none are refused at boot', async t => {
  const refused = async (l1: unknown) => await t.rejects(makeApp({ l1 } as never), /l1/, JSON.stringify(l1))
  for (const l1 of [true, 5, { maxAge: 0 }, { maxAge: '2h' }, { maxItems: 0 }, { maxBytes: 1 }, { maxAgeMs: 5 }]) await refused(l1)
  await t.rejects(makeApp({ l1: { maxAge: 'soon' } } as never), { message: /'soon'/ })
})
