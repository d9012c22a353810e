import t from 'tap'
import type { Check } from '../../src/stores/store.ts'
import { admittedInTurn, check, peek, rule, take, unitsFree } from '../rules.ts'
import { hour, leased, processes, warm } from './simulated-processes.ts'

t.test('callers at once wait for one question; who finds nothing left asks for itself', async t => {
  const { store, one } = processes(1)
  store.held = []
  const all = Array.from({ length: 50 }, () => take(one, leased(1_000)))
  t.equal(store.calls.length, 1)
  store.answer()
  t.equal(store.calls.length, 50, 'the first took nothing for the others')
  store.answer()
  t.equal((await Promise.all(all)).filter(({ allowed }) => allowed).length, 50)
  const more = Array.from({ length: 30 }, () => take(one, leased(1_000)))
  t.ok(store.calls.length <= 51)
  store.answer()
  t.equal((await Promise.all(more)).filter(({ allowed }) => allowed).length, 30)
})

t.test('what is not spent in its lifetime is given back by the next question', async t => {
  const { clock, store, one } = processes(1)
  await warm(one, leased(1_000))
  clock.nowMs += 10_000
  await take(one, leased(1_000))
  const spent = 5
  t.equal(await unitsFree(one, leased(1_000)), 1_000 - spent, 'with what is held here')
  t.ok(store.calls.at(-1)![0]!.batch!.back!.units > 0)
})

t.test('all or none: what was spent for a question that others refuse is put back', async t => {
  const { store, one } = processes(1)
  const tight = check(rule('sliding-log', 1, hour))
  await warm(one, leased(1_000))
  t.match(await take(one, leased(1_000), tight), { allowed: true })
  const before = await unitsFree(one, leased(1_000))
  for (let i = 0; i < 9; i++) t.match(await take(one, leased(1_000), tight), { allowed: false, outcomes: [{ waitMs: 0 }, { remaining: 0 }] })
  t.equal(await unitsFree(one, leased(1_000)), before)
  t.equal(await unitsFree(store, tight), 0)
})

t.test('two leases of one question are spent together or not at all', async t => {
  const { one } = processes(1)
  const [wide, small] = [leased(1_000), leased(10, { name: 'small' })]
  t.equal(await admittedInTurn(40, () => take(one, wide, small)), 10)
  t.equal(await unitsFree(one, wide), 990)
})

t.test('what was granted is spent or returned; each answer without a question is counted', async t => {
  const { clock, store, counted, one } = processes(1)
  const of = leased(1_000)
  const dear = { ...of, cost: 3 }
  const tight = check(rule('sliding-log', 1, hour))
  await warm(one, of, 10)
  for (let i = 0; i < 20; i++) await take(one, i % 2 === 0 ? of : dear)
  clock.nowMs += 3_000
  await take(one, of)
  await take(one, of)
  await take(one, tight)
  const before = { ...counted }
  t.match(await take(one, of, tight), { allowed: false })
  t.same(counted, before, 'what a refused question has spent is put back')
  await one.close()
  t.equal(counted.granted, counted.spent! + counted.returned!)
  t.equal(counted.answers, 34 - store.calls.length)
  t.ok(counted.returned! > before.returned! && before.returned! > 0 && counted.spent! > counted.answers!)
})

for (const algorithm of ['fixed-window', 'gcra'] as const) {
  t.test(`${algorithm}: headroom is kept of what is leased too`, async t => {
    const { store, one } = processes(1)
    const of = leased(100, { algorithm })
    const busy = (): Check => ({ ...of, headroomTenths: 5 })
    await warm(one, of, 20)
    let admitted = 0
    for (let i = 0; i < 60; i++) {
      const { allowed } = await take(one, busy())
      if (!allowed) break
      admitted++
      if (admitted > 28) t.equal((await peek(one, busy())).allowed, admitted < 30, `after ${admitted}`)
      if (admitted === 35) break
    }
    t.equal(admitted, 30, 'as many as without a lease')
    t.ok(store.calls.length < 40, `${store.calls.length} questions`)
    t.match(await take(one, of), { allowed: true }, 'when the load is gone all of it is there')
  })
}

t.test('who asks for more than is held sees it beside what is free', async t => {
  const { one } = processes(1)
  await warm(one, leased(20), 4)
  const dear = leased(20, { cost: 16 })
  t.match(await peek(one, dear), { allowed: true })
  t.match(await take(one, dear), { allowed: true })
})

t.test('while the store is away all who wait are told, and what is held is spent', async t => {
  const { store, one } = processes(1)
  await warm(one, leased(1_000))
  store.failure = new Error('away')
  t.match(await take(one, leased(1_000)), { allowed: true })
  store.held = []
  const away = Array.from({ length: 3 }, () => take(one, leased(1_000, { name: 'new' })))
  store.answer()
  for (const each of away) await t.rejects(each, { message: 'away' })
  t.equal(store.calls.filter(([asked]) => asked!.rule.name === 'new').length, 1)
})

t.test('an answer that is older than its lifetime admits nobody: the cost alone is asked for again', async t => {
  const { clock, store, one } = processes(1)
  await warm(one, leased(1_000, { cost: 10 }), 1)
  store.held = []
  const late = take(one, leased(1_000))
  clock.nowMs += 2_000
  store.answer()
  t.equal(store.calls.at(-1)![0]!.batch, undefined)
  store.answer()
  t.match(await late, { allowed: true })
})

t.test('when permits are given back that others were refused for, they are told', async t => {
  const { clock, told, one, other } = processes(2)
  const of = leased(100)
  await warm(one, of, 20)
  while ((await take(other, of)).allowed);
  clock.nowMs += 3_000
  await take(one, of)
  t.same(told.at(-1), ['n', 's'])
})
