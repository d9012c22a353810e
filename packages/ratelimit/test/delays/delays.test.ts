import { seeded } from '@respite/testing'
import t, { type Test } from 'tap'
import { Delays } from '../../src/delays/delays.ts'
import { HeldSlots } from '../../src/held-slots.ts'
import { type LimitOptions, resolveLimit } from '../../src/limit.ts'
import { LimitChanges } from '../../src/limit-changes.ts'
import { type Ask, Limiter } from '../../src/limiter.ts'
import { Load } from '../../src/load.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import type { Check, VerdictCallback } from '../../src/stores/store.ts'
import { fakeClock } from '../clock.ts'
import { FakeTimers } from './fake-timers.ts'

/** Decides at once, as a server does in the order of the questions; its answers come at once or in a later turn. */
class TurnStore extends MemoryStore {
  calls = 0
  readonly #later: boolean

  constructor (options: ConstructorParameters<typeof MemoryStore>[0], later: boolean) {
    super(options)
    this.#later = later
  }

  override take (checks: readonly Check[], callback: VerdictCallback): void {
    this.calls++
    super.take(checks, this.#later ? (error, verdict) => { setImmediate(callback, error, verdict) } : callback)
  }
}

/** Delays over memory, in time that the test makes pass. `later`: answers come in a later turn, as those of a server. */
function assemble (t: Test, { later = false } = {}) {
  const clock = fakeClock()
  const timers = new FakeTimers(clock)
  const store = new TurnStore({ clock, maxKeys: 1_000 }, later)
  const counters = new Map<string, number>()
  const counted = { of: (name: string) => ({ value: 0, inc: () => { counters.set(name, (counters.get(name) ?? 0) + 1) } }) } as never
  const load = new Load({}, { clock, log: { warn: () => { t.fail() } } })
  const storeErrors = { value: 0, inc: () => { t.fail() } }
  const limiter = new Limiter({ store, local: store, slots: new HeldSlots({ store, local: store }), load, instances: () => 1, storeErrors })
  const delays = new Delays({ limiter, changes: new LimitChanges(), clock, after: timers.after, delayed: counted })
  const startMs = clock.nowMs
  const told: string[] = []
  const ask = (options: Partial<LimitOptions>, { cost = 1, subject = 'somebody' } = {}): Ask => {
    const limit = resolveLimit({ name: 'api', ...(options.rate === undefined && { limit: 1, per: '1s' }), delay: { max: '10s' }, ...options }, 'local')
    return { limit, rule: limit.rule, subject, cost }
  }
  /** Asks, and notes who was told what, and when. */
  const come = (who: string, ...asks: Ask[]) => {
    const leave = delays.take(asks, ({ decision }) => { told.push(`${who} ${decision} ${clock.nowMs - startMs}`) })
    return { leave }
  }
  /** What was told so far, without the times. */
  const decisions = () => told.map(line => line.split(' ').slice(0, 2).join(' '))
  /** Units that are free for somebody who asks now. */
  const free = (one: Ask) => new Promise<number>(resolve => limiter.peek([one], ({ answers }) => resolve(answers[0]!.remaining)))
  return { clock, timers, limiter, delays, counters, told, decisions, ask, come, free, calls: () => store.calls }
}

for (const later of [false, true]) {
  const where = later ? 'of a server' : 'of memory'

  t.test(`answers ${where}: who is refused waits for its room, and those who came first go first`, async t => {
    const { told, ask, come, timers, delays, counters, decisions } = assemble(t, { later })
    const one = () => ask({ rate: '1/s', algorithm: 'gcra' })
    for (const who of ['a', 'b', 'c']) come(who, one())
    await timers.pass(0)
    t.same(told, ['a allowed 0'])
    t.equal(delays.size, 2)
    await timers.pass(500)
    come('d', one())
    await timers.pass(10_000)
    t.same(decisions(), ['a allowed', 'b allowed', 'c allowed', 'd allowed'])
    const times = told.map(one => Number(one.split(' ')[2]))
    t.ok(times.every((ms, i) => ms >= i * 1_000 && ms < i * 1_000 + 10), told.join())
    t.equal(delays.size, 0)
    t.equal(timers.size, 0, 'no timer is left')
    t.equal(counters.get('api'), 3)
  })

  t.test(`answers ${where}: a newcomer does not overtake, not even in the moment in which there is room`, async t => {
    const { told, ask, come, timers, clock } = assemble(t, { later })
    const one = () => ask({ limit: 1, per: '1s', delay: { max: '10s', waiting: 1 } })
    come('a', one())
    await timers.pass(0)
    come('b', one())
    await timers.pass(0)
    clock.nowMs += 1_000
    come('late', one())
    await timers.pass(0)
    t.same(told, ['a allowed 0', 'b allowed 1000'], 'the place of who goes is the newcomer\'s')
    await timers.pass(1_000)
    t.same(told.slice(2), ['late allowed 2000'])
  })

  t.test(`answers ${where}: beyond its bounds it refuses as usual`, async t => {
    const { told, ask, come, timers } = assemble(t, { later })
    const full = () => ask({ name: 'full', delay: { max: '10s', waiting: 2 } })
    for (const who of ['a', 'b', 'c', 'd', 'e']) come(who, full())
    await timers.pass(0)
    t.same(told, ['a allowed 0', 'd refused 0', 'e refused 0'])
    const slow = () => ask({ name: 'slow', delay: { max: '2500ms' } })
    for (const who of ['1', '2', '3', '4', '5']) come(who, slow())
    await timers.pass(0)
    t.same(told.slice(3), ['1 allowed 0', '4 refused 0', '5 refused 0'], 'who cannot expect room within the longest delay does not wait for it')
    const never = ask({ name: 'never', limit: 0 })
    come('never', never)
    come('dear', ask({ name: 'dear', limit: 1 }, { cost: 2 }))
    await timers.pass(0)
    t.same(told.slice(6), ['never refused 0', 'dear refused 0'])
    await timers.pass(20_000)
    t.same(told.slice(8).sort(), ['2 allowed 1000', '3 allowed 2000', 'b allowed 1000', 'c allowed 2000'])
  })

  t.test(`answers ${where}: nobody waits longer than the longest delay, though others take the room`, async t => {
    const { told, ask, come, timers, limiter, delays } = assemble(t, { later })
    const one = () => ask({ limit: 1, per: '1s', delay: { max: '3s' } })
    come('a', one())
    come('b', one())
    come('c', one())
    await timers.pass(0)
    const rob = async () => {
      await timers.pass(900)
      // Another process takes what is free, just in time.
      await limiter.reset(one().rule, 'somebody')
      limiter.take([one()], () => {})
    }
    for (let i = 0; i < 4; i++) await rob()
    t.equal(told.length, 3)
    for (const line of told.slice(1)) t.match(line, /^[bc] refused (1\d{3}|2\d{3}|3000)$/)
    t.equal(delays.size, 0)
    t.equal(timers.size, 0)
  })

  t.test(`answers ${where}: who is gone frees its place, is charged nothing, and holds up nobody`, async t => {
    const { told, ask, come, timers, delays, free } = assemble(t, { later })
    const one = () => ask({ delay: { max: '10s', waiting: 2 } })
    come('a', one())
    const b = come('b', one())
    const c = come('c', one())
    await timers.pass(0)
    b.leave()
    b.leave()
    t.same(told, ['a allowed 0', 'b gone 0'])
    t.equal(delays.size, 1)
    come('d', one())
    await timers.pass(1_000)
    t.same(told.slice(2), ['c allowed 1000'])
    c.leave()
    await timers.pass(10_000)
    t.same(told.slice(3), ['d allowed 2000'], 'who was told is told nothing more')
    await timers.pass(1_000)
    t.equal(await free(one()), 1)
  })

  t.test(`answers ${where}: a close answers all who wait, and later nobody waits`, async t => {
    const { told, ask, come, timers, delays } = assemble(t, { later })
    for (const who of ['a', 'b', 'c', 'd']) come(who, ask({}))
    await timers.pass(0)
    delays.close()
    come('e', ask({}))
    await timers.pass(0)
    t.same(told, ['a allowed 0', 'b refused 0', 'c refused 0', 'd refused 0', 'e refused 0'])
    t.equal(timers.size, 0)
    t.equal(delays.size, 0)
  })
}

t.test('who is gone while its question is under way is given back what it was charged', async t => {
  const { ask, come, timers, clock, decisions, free } = assemble(t, { later: true })
  const one = () => ask({ limit: 2, per: '1s', algorithm: 'fixed-window' })
  come('a', ask({ limit: 2, per: '1s', algorithm: 'fixed-window' }, { cost: 2 }))
  await timers.pass(0)
  const b = come('b', one())
  await timers.pass(0)
  clock.nowMs += 1_000
  // Now b is due, and its question leaves before that of c.
  come('c', ask({ limit: 2, per: '1s', algorithm: 'fixed-window', delay: { max: '1ms' } }))
  b.leave()
  await timers.pass(0)
  t.same(decisions().slice(1), ['b gone', 'c allowed'])
  t.equal(await free(one()), 1)
})

t.test('a close while the question of the first is under way answers it, whatever it says', async t => {
  const { ask, come, timers, clock, delays, decisions } = assemble(t, { later: true })
  come('a', ask({ limit: 1, per: '1s' }))
  await timers.pass(0)
  come('b', ask({ limit: 1, per: '1s' }))
  await timers.pass(0)
  come('c', ask({ limit: 1, per: '1s' }))
  await timers.pass(0)
  clock.nowMs += 1_000
  // Now b is due, and asks before who comes.
  come('d', ask({ limit: 1, per: '1s', delay: { max: '1ms' } }))
  delays.close()
  await timers.pass(0)
  t.same(decisions().sort(), ['a allowed', 'b allowed', 'c refused', 'd refused'])
  t.equal(timers.size, 0)
})

t.test('beside a limit that does not delay a request waits only where that has room; it is charged by all or by none', async t => {
  const { told, ask, come, timers, free } = assemble(t)
  const hard = () => ask({ name: 'hard', limit: 2, per: '1h', delay: undefined as never })
  const soft = () => ask({ name: 'soft' })
  for (const who of ['a', 'b', 'c']) come(who, hard(), soft())
  await timers.pass(1_000)
  t.same(told, ['a allowed 0', 'b allowed 1000', 'c refused 1000'])
  t.equal(await free(soft()), 0)
})

t.test('subjects wait in queues of their own; the places of a limit are for all of them', async t => {
  const { told, ask, come, timers } = assemble(t)
  const of = (subject: string) => ask({ delay: { max: '10s', waiting: 2 } }, { subject })
  for (const subject of ['x', 'y', 'z']) come(subject, of(subject))
  for (const subject of ['x', 'y', 'z']) come(`${subject}2`, of(subject))
  await timers.pass(1_000)
  t.same(told, ['x allowed 0', 'y allowed 0', 'z allowed 0', 'z2 refused 0', 'x2 allowed 1000', 'y2 allowed 1000'])
})

t.test('a queue of thousands costs a question each and one a wait, and no deep stack', async t => {
  const { told, ask, come, timers, calls } = assemble(t)
  const many = () => ask({ limit: 5_000, per: '1s', algorithm: 'fixed-window', delay: { max: '10s', waiting: 10_000 } })
  for (let i = 0; i < 10_000; i++) come(String(i), many())
  await timers.pass(1_000)
  t.equal(told.length, 10_000)
  t.ok(told.every(line => line.includes('allowed')))
  t.ok(calls() <= 10_010, `${calls()} questions`)
})

t.test('random comings and goings: never more than the limit, each is told once, in time, and nothing is left', async t => {
  const chance = seeded(t)
  for (let round = 0; round < 20; round++) {
    const later = round % 2 === 0
    const { told, ask, come, timers, delays, clock } = assemble(t, { later })
    const algorithm = (['sliding-log', 'fixed-window', 'gcra', 'sliding-counter'] as const)[round % 4]!
    const limit = 1 + chance.below(4)
    const since = clock.nowMs
    const here: { who: number, atMs: number, leave: () => void }[] = []
    for (let who = 0; who < 200; who++) {
      here.push({ who, atMs: clock.nowMs - since, ...come(String(who), ask({ limit, per: '1s', algorithm, delay: { max: '3s', waiting: 1 + chance.below(10) } })) })
      if (chance.below(5) === 0) here[chance.below(here.length)]!.leave()
      await timers.pass(chance.below(400))
    }
    await timers.pass(10_000)
    const all = told.map(line => line.split(' '))
    t.equal(new Set(all.map(([who]) => who)).size, 200, 'each is told')
    t.equal(all.length, 200, 'and once')
    const late = all.filter(([who, , ms]) => Number(ms) - here[Number(who)]!.atMs > 3_000)
    t.same(late, [])
    const admitted = all.filter(([, decision]) => decision === 'allowed').map(([, , ms]) => Number(ms))
    if (algorithm === 'sliding-log') t.ok(admitted.every((ms, i) => i < limit || ms - admitted[i - limit]! >= 1_000), 'never more than the limit in a window')
    t.same([timers.size, delays.size], [0, 0])
  }
})
