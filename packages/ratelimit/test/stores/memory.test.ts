import { systemClock } from '@respite/redis'
import t from 'tap'
import { MemoryStore } from '../../src/stores/memory.ts'
import { fakeClock } from '../clock.ts'
import { blockContract } from '../contracts/blocks.ts'
import { leaseContract } from '../contracts/leases.ts'
import { slotContract, slotsOf } from '../contracts/slots.ts'
import { banContract } from '../contracts/bans.ts'
import { storeContract } from '../contracts/store.ts'
import { algorithmNames, admitted, check, peek, rule, take } from '../rules.ts'

const fresh = (maxKeys = 10_000) => {
  const clock = fakeClock()
  return { clock, store: new MemoryStore({ clock, maxKeys }) }
}

for (const contract of [storeContract, slotContract, banContract]) {
  contract(t, () => {
    const { store } = fresh()
    return { store, again: () => store }
  })
}

for (const contract of [blockContract, leaseContract]) {
  contract(t, () => {
    const store = new MemoryStore({ clock: systemClock, maxKeys: 1_000 })
    return { store, again: () => store }
  })
}

t.test('a flood frees nobody who is blocked, and where all are refused nobody more can be', async t => {
  const { store } = fresh(1_000)
  const five = rule('sliding-log', 5)
  for (let i = 0; i < 1_000; i++) await store.block(five, `blocked-${i}`, 60_000)
  for (let i = 0; i < 3_000; i++) await take(store, check(five, `new-${i}`))
  for (const i of [0, 500, 999]) t.match(await peek(store, check(five, `blocked-${i}`)), { allowed: false })
  await t.rejects(store.block(five, 'one more', 60_000), { code: 'FST_RSP_RATELIMIT_FULL', message: /all 1000 subjects/ })
})

t.test('concurrency: a slot that nobody renews is free after its expiry, not a millisecond earlier', async t => {
  const { clock, store } = fresh()
  const two = slotsOf(2)
  const held = two()
  await take(store, two())
  await take(store, held)
  clock.nowMs += 40_000
  await store.renew([held])
  clock.nowMs += 19_999
  t.match(await take(store, two()), { allowed: false })
  clock.nowMs += 1
  t.match(await take(store, two()), { allowed: true, outcomes: [{ remaining: 0 }] })
  clock.nowMs += 40_000
  t.match(await peek(store, two()), { outcomes: [{ remaining: 1 }] })
})

for (const algorithm of algorithmNames) {
  t.test(`${algorithm}: who waits as told is admitted, also for 30 days`, async t => {
    const { clock, store } = fresh()
    const one = check(rule(algorithm, 1, { windowMs: 30 * 86_400_000 }))
    t.match(await take(store, one), { allowed: true })
    const { allowed, outcomes: [outcome] } = await take(store, one)
    t.equal(allowed, false)
    clock.nowMs += outcome!.waitMs - 1
    t.match(await take(store, one), { allowed: false })
    clock.nowMs += 1
    t.match(await take(store, one), { allowed: true })
  })

  t.test(`${algorithm}: a clock that was set while the process runs changes nothing`, async t => {
    const clock = { ...fakeClock(), monotonicMs: () => 5_000 }
    const store = new MemoryStore({ clock, maxKeys: 1_000 })
    const one = check(rule(algorithm, 1))
    await take(store, one)
    clock.wallMs = () => 0
    t.match(await take(store, one), { allowed: false })
    clock.wallMs = () => 9e12
    t.match(await take(store, one), { allowed: false })
  })
}

// ROTATING_KEYS=10000000 for the whole flood; it takes half a minute.
const rotatingKeys = Number(process.env.ROTATING_KEYS ?? 1_000_000)

t.test('hazard 18: a flood of a million new keys stays within its bound, and frees nobody who is refused', async t => {
  const { store } = fresh(1_000)
  const one = rule('sliding-log', 1)
  t.equal(await admitted(store, 2, () => check(rule('fixed-window', 1), 'blocked')), 1)
  const flood = rule('sliding-log', 2, { name: 'flood' })
  for (let i = 0; i < rotatingKeys; i++) store.take([check(flood, `new-${i}`)], () => {})
  t.equal(store.size, 1_000)
  t.match(await peek(store, check(rule('fixed-window', 1), 'blocked')), { allowed: false })
  t.match(await peek(store, check(one, 'never seen')), { allowed: true })
})

for (const algorithm of algorithmNames) {
  t.test(`${algorithm}: a flood frees nobody who is refused for a cost while there is room for less`, async t => {
    const { store } = fresh(1_000)
    const five = rule(algorithm, 5)
    t.equal(await admitted(store, 2, () => check(five, 'dear', 3)), 1)
    t.match(await take(store, check(five, 'dear')), { allowed: true })
    for (let i = 0; i < 2_000; i++) await take(store, check(five, `new-${i}`, 3))
    t.match(await take(store, check(five, 'dear', 3)), { allowed: false })
  })

  t.test(`${algorithm}: a flood frees nobody who is refused by a limit that was lowered meanwhile`, async t => {
    const { store } = fresh(1_000)
    const lowered = check(rule(algorithm, 2), 'lowered')
    await take(store, check(rule(algorithm, 5), 'lowered', 4))
    t.match(await take(store, lowered), { allowed: false })
    for (let i = 0; i < 2_000; i++) await take(store, check(rule(algorithm, 5), `new-${i}`))
    t.match(await take(store, lowered), { allowed: false })
  })
}

t.test('fixed-window: what a shorter window has ended stays ended when it is longer again', async t => {
  const { clock, store } = fresh()
  const [long, short] = [rule('fixed-window', 3), rule('fixed-window', 3, { windowMs: 2 })]
  await take(store, check(long, 'somebody', 3))
  clock.nowMs += 2
  t.match(await peek(store, check(short)), { outcomes: [{ remaining: 3 }] })
  t.match(await peek(store, check(long)), { outcomes: [{ remaining: 3 }] })
})

t.test('when all who are kept are refused, newcomers share one count', async t => {
  const { clock, store } = fresh(1_000)
  const one = rule('fixed-window', 1)
  for (let i = 0; i < 1_000; i++) await take(store, check(one, `blocked-${i}`))
  let more = 0
  for (let i = 0; i < 5_000; i++) if ((await take(store, check(one, `new-${i}`))).allowed) more++
  t.equal(more, 1)
  t.match(await peek(store, check(one, 'new-9')), { allowed: false }, 'a look says what a take would')
  await store.reset(one, 'blocked-1')
  t.match(await peek(store, check(one, 'new-9')), { allowed: true }, 'also where a place is free again')
  t.match(await take(store, check(one, 'new-9')), { allowed: true })
  t.match(await peek(store, check(one, 'blocked-0')), { allowed: false })
  clock.nowMs += 60_000
  t.match(await take(store, check(one, 'new-1')), { allowed: true })
})

t.test('what has ended makes place by itself', async t => {
  const { clock, store } = fresh()
  for (let i = 0; i < 5_000; i++) await take(store, check(rule('gcra', 1), `old-${i}`))
  clock.nowMs += 120_000
  for (let i = 0; i < 5_000; i++) await take(store, check(rule('gcra', 1), `new-${i}`))
  t.equal(store.size, 5_000)
})
