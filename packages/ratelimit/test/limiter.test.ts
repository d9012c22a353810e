import t from 'tap'
import { HeldSlots } from '../src/held-slots.ts'
import { type Limit, type LimitOptions, resolveLimit } from '../src/limit.ts'
import { type Ask, chargesOf, Limiter, type LimitCharge, type Ruling } from '../src/limiter.ts'
import { Load } from '../src/load.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { fakeClock } from './clock.ts'
import { AwayStore } from './stores/away-store.ts'

/** A limiter of one process of so many. */
function assemble ({ instances = 1 } = {}) {
  const clock = fakeClock()
  const store = new AwayStore()
  const seen = { instances, errors: 0 }
  const storeErrors = { inc: () => { seen.errors++ }, get value () { return seen.errors } }
  const local = new MemoryStore({ clock, maxKeys: 1_000 })
  const load = new Load({}, { clock, log: { warn: () => { t.fail() } } })
  const limiter = new Limiter({ store, local, load, slots: new HeldSlots({ store, local }), instances: () => seen.instances, storeErrors })
  const ask = (mode: 'take' | 'peek', asks: Ask[]): Ruling => {
    const rulings: Ruling[] = []
    limiter[mode](asks, ruling => rulings.push(ruling))
    if (rulings.length !== 1) throw new TypeError(`answered ${rulings.length} times`)
    return rulings[0]!
  }
  return { clock, store, seen, limiter, take: (...asks: Ask[]) => ask('take', asks), peek: (...asks: Ask[]) => ask('peek', asks) }
}

const limitOf = (options: Partial<LimitOptions> = {}): Limit => resolveLimit({ name: 'api', limit: 10, per: '1m', ...options }, 'local')
const asking = (limit: Limit, cost = 1, subject = 'somebody'): Ask => ({ limit, rule: limit.rule, subject, cost })

/** How many of so many takes pass. */
function passing (times: number, take: () => Ruling): number {
  let passed = 0
  for (let i = 0; i < times; i++) if (take().decision === 'allowed') passed++
  return passed
}

t.test('whose answer was lost holds no slot unless it passes, and what passes without the store is counted when it is back', async t => {
  const { store, limiter, take } = assemble()
  const busy = (onStoreError: 'local' | 'closed') => resolveLimit({ name: onStoreError, algorithm: 'concurrency', limit: 2 }, onStoreError)
  const [local, closed] = [asking(busy('local')), asking(busy('closed'))]
  store.away = true
  t.equal(take({ ...closed }).decision, 'unavailable')
  t.equal(limiter.slots.size, 0)
  const held = { ...local }
  t.match(take(held), { decision: 'allowed', answers: [{ by: 'local' }] })
  t.equal(limiter.slots.sizeOf('local'), 1)
  store.away = false
  limiter.storeMayBeBack()
  t.match(take({ ...local }), { decision: 'allowed' })
  t.match(take({ ...local }), { decision: 'refused' }, 'that of the outage is counted')
  await limiter.slots.release(held.slot!)
  await limiter.slots.release(held.slot!)
  t.match(take({ ...local }), { decision: 'allowed' })
  t.match(take({ ...local }), { decision: 'refused' })
  t.equal(limiter.slots.size, 2)
  await limiter.slots.close()
})

t.test('while the store answers, it decides', async t => {
  const { take, peek, seen } = assemble({ instances: 5 })
  const ask = asking(limitOf())
  t.match(peek(ask), { decision: 'allowed', answers: [{ remaining: 10, by: 'store' }] })
  t.equal(passing(30, () => take(ask)), 10, 'the whole limit, however many processes there are')
  t.match(take(ask), { decision: 'refused', answers: [{ remaining: 0, by: 'store' }] })
  t.ok(take(ask).answers[0]!.waitMs > 0)
  t.equal(seen.errors, 0)
})

t.test('local: while the store is away this process admits its share, and all processes together no more than the limit', async t => {
  for (const [limit, instances, share] of [[10, 1, 10], [10, 3, 3], [10, 10, 1], [7, 2, 3]] as const) {
    const processes = Array.from({ length: instances }, () => assemble({ instances }))
    const ask = asking(limitOf({ limit }))
    const passed = processes.map(({ store, take }) => {
      store.away = true
      return passing(30, () => take(ask))
    })
    t.same(passed, processes.map(() => share), `${limit} over ${instances}`)
    t.ok(share * instances <= limit)
  }
})

t.test('local: a share is never less than one, and none of a limit of 0', async t => {
  const { store, take } = assemble({ instances: 100 })
  store.away = true
  t.equal(passing(30, () => take(asking(limitOf()))), 1)
  t.equal(passing(30, () => take(asking(limitOf({ name: 'shut', limit: 0 })))), 0)
})

t.test('local: a cost that the limit admits has room for one request, whatever the share', async t => {
  const { store, take } = assemble({ instances: 100 })
  store.away = true
  t.equal(passing(30, () => take(asking(limitOf({ cost: 4 }), 4))), 1)
  t.match(take(asking(limitOf({ cost: 4 }), 11, 'another')), { decision: 'refused', answers: [{ waitMs: Infinity }] })
})

t.test('local: instances that are unknown, or none, count as one', async t => {
  for (const instances of [0, -1]) {
    const { store, take } = assemble({ instances })
    store.away = true
    t.equal(passing(30, () => take(asking(limitOf()))), 10)
  }
})

t.test('local: how many instances there are is read at each decision', async t => {
  const { store, seen, take, peek } = assemble({ instances: 2 })
  store.away = true
  const ask = asking(limitOf())
  t.match(take(ask), { decision: 'allowed', answers: [{ remaining: 4, by: 'local' }] })
  seen.instances = 5
  t.match(peek(ask), { answers: [{ remaining: 1 }] })
  seen.instances = 1
  t.match(peek(ask), { answers: [{ remaining: 9 }] })
})

t.test('local: the burst is shared as the rate is, also where the rate is one either way', async t => {
  const { store, seen, take } = assemble({ instances: 2 })
  store.away = true
  const bursting = limitOf({ limit: 1, burst: 12 })
  t.equal(passing(30, () => take(asking(bursting, 1, 'first'))), 6)
  seen.instances = 4
  t.equal(passing(30, () => take(asking(bursting, 1, 'second'))), 3)
})

t.test('local: a window ends, and who waits as told is admitted', async t => {
  const { clock, store, take } = assemble({ instances: 5 })
  store.away = true
  const ask = asking(limitOf())
  t.equal(passing(10, () => take(ask)), 2)
  const { waitMs } = take(ask).answers[0]!
  clock.nowMs += waitMs - 1
  t.equal(take(ask).decision, 'refused')
  clock.nowMs += 1
  t.equal(take(ask).decision, 'allowed')
})

t.test('local: a look charges nothing', async t => {
  const { store, peek, take } = assemble()
  store.away = true
  const ask = asking(limitOf({ limit: 1 }))
  for (let i = 0; i < 3; i++) t.match(peek(ask), { decision: 'allowed', answers: [{ remaining: 1, by: 'local' }] })
  t.equal(passing(5, () => take(ask)), 1)
  t.match(peek(ask), { decision: 'refused' })
})

t.test('open: everybody passes while the store is away, unchecked', async t => {
  const { store, take } = assemble()
  const ask = asking(limitOf({ limit: 1, onStoreError: 'open' }))
  t.equal(passing(5, () => take(ask)), 1)
  store.away = true
  t.equal(passing(50, () => take(ask)), 50)
  t.same(take(ask), { decision: 'allowed', answers: [{ remaining: 1, waitMs: 0, resetMs: 0, atMs: 0, by: 'none' }] })
  t.same(chargesOf([ask], take(ask)), [], 'nothing was charged')
  store.away = false
  t.equal(take(ask).decision, 'refused', 'and the store counts on')
})

t.test('closed: nobody passes while the store is away', async t => {
  const { store, take, peek } = assemble()
  store.away = true
  const ask = asking(limitOf({ onStoreError: 'closed' }))
  t.match(take(ask), { decision: 'unavailable', answers: [{ by: 'none' }] })
  t.match(peek(ask), { decision: 'unavailable' })
  t.same(chargesOf([ask], take(ask)), [])
  store.away = false
  t.match(take(ask), { decision: 'allowed', answers: [{ remaining: 9 }] })
})

t.test('of several limits in one request each does as it says', async t => {
  const local = asking(limitOf({ name: 'local', limit: 2 }))
  const open = asking(limitOf({ name: 'open', limit: 1, onStoreError: 'open' }))
  const closed = asking(limitOf({ name: 'closed', onStoreError: 'closed' }))

  t.test('local beside open: the local one alone is counted', async t => {
    const { store, take } = assemble()
    store.away = true
    t.match(take(open, local), { decision: 'allowed', answers: [{ by: 'none' }, { by: 'local', remaining: 1 }] })
    t.match(take(local, open), { decision: 'allowed', answers: [{ by: 'local', remaining: 0 }, { by: 'none' }] })
    const refused = take(open, local)
    t.match(refused, { decision: 'refused', answers: [{ by: 'none', waitMs: 0 }, { by: 'local', remaining: 0 }] })
    t.ok(refused.answers[1]!.waitMs > 0)
  })

  t.test('closed beside local: nobody passes, and nothing is charged', async t => {
    const { store, take, peek } = assemble()
    store.away = true
    for (let i = 0; i < 5; i++) t.match(take(local, closed, open), { decision: 'unavailable' })
    t.match(peek(local), { decision: 'allowed', answers: [{ remaining: 2 }] })
  })

  t.test('two local ones are charged together or not at all', async t => {
    const { store, take, peek } = assemble()
    store.away = true
    const tight = asking(limitOf({ name: 'tight', limit: 1 }))
    t.equal(passing(5, () => take(local, tight)), 1)
    t.match(peek(local), { answers: [{ remaining: 1 }] })
  })
})

t.test('what was charged is taken back where it was charged', async t => {
  const { store, take, peek, limiter } = assemble({ instances: 2 })
  const ask = asking(limitOf(), 3)
  const stored = chargesOf([ask], take(ask))
  t.match(stored, [{ by: 'store', cost: 3, subject: 'somebody' }])
  store.away = true
  const kept = chargesOf([ask], take(ask))
  t.match(kept, [{ by: 'local', cost: 3 }])
  t.match(peek(ask), { decision: 'refused', answers: [{ remaining: 2 }] })
  await limiter.refund(kept)
  t.match(peek(ask), { decision: 'allowed', answers: [{ remaining: 5, by: 'local' }] }, 'also while the store is away')
  const counted = chargesOf([ask], take(ask))
  await t.rejects(limiter.refund(stored), { message: 'away' })
  t.match(peek(ask), { answers: [{ remaining: 2, by: 'local' }] }, 'what the store has charged is not taken back here')
  await limiter.refund(counted)
  store.away = false
  t.match(peek(ask), { answers: [{ remaining: 7, by: 'store' }] }, 'the store was told nothing of the local ones')
  await limiter.refund([...kept, ...stored])
  t.same(store.refunded, ['api 3'])
  t.match(peek(ask), { answers: [{ remaining: 10 }] })
})

t.test('what was unchecked is not taken back', async t => {
  const { store, limiter } = assemble()
  const ask = asking(limitOf())
  const charge: LimitCharge = { ...ask, atMs: 0, by: 'none' }
  await limiter.refund([charge])
  t.same(store.refunded, [])
})

t.test('a refusal has charged nothing', async t => {
  const { take } = assemble()
  const ask = asking(limitOf({ limit: 1 }))
  t.equal(chargesOf([ask], take(ask)).length, 1)
  t.same(chargesOf([ask], take(ask)), [])
})

t.test('a subject is forgotten here and in the store', async t => {
  const { store, take, limiter } = assemble()
  const ask = asking(limitOf({ limit: 1 }))
  take(ask)
  store.away = true
  take(ask)
  await t.rejects(limiter.reset(ask.rule, ask.subject), { message: 'away' })
  t.equal(take(ask).decision, 'allowed', 'here even while the store is away')
  store.away = false
  t.equal(take(ask).decision, 'refused')
  await limiter.reset(ask.rule, ask.subject)
  t.equal(take(ask).decision, 'allowed')
})

t.test('each call that the store fails is counted once', async t => {
  const { store, seen, take, peek } = assemble()
  store.away = true
  take(asking(limitOf()), asking(limitOf({ name: 'other', onStoreError: 'open' })))
  peek(asking(limitOf({ onStoreError: 'closed' })))
  t.equal(seen.errors, 2)
})
