import { gate, until } from '@respite/testing'
import t, { type Test } from 'tap'
import { FST_RSP_SESSION_STORE_DOWN } from '../src/errors.ts'
import type { PendingRow } from '../src/stores/store.ts'
import { Trust } from '../src/trust.ts'
import { handClock } from './contracts/session-store.ts'

const log = { debug () {}, info () {}, error () {} } as never
const times = { pollEveryMs: 60_000, trustMs: 3_000, durableDownMs: 60_000, deadlineMs: 2_000 }
const row = (hash: string): PendingRow => ({ hash, tag: 'tag', dead: true, pend: 2 })

/** A poller over a store that says what the test says. */
function poller (t: Test) {
  const clock = handClock()
  let wallAheadMs = 0
  let answer: () => Promise<readonly PendingRow[]> = async () => []
  const healed: string[] = []
  const trust = new Trust({
    store: { pending: () => answer(), markPending: async () => undefined } as never,
    clock: { monotonicMs: () => clock.monotonicMs(), wallMs: () => clock.wallMs() + wallAheadMs },
    chance: () => 0,
    log,
    times,
    heal: async rows => { healed.push(...rows.map(one => one.hash)) }
  })
  t.teardown(() => trust.stop())
  return { trust, clock, healed, says: (next: () => Promise<readonly PendingRow[]>) => { answer = next }, jump: (ms: number) => { wallAheadMs += ms } }
}

t.test('believes Redis only for a while after a poll, and never for a pending row', async t => {
  const { trust, clock, says } = poller(t)
  t.notOk(trust.believes('a'), 'before the first poll')
  says(async () => [row('b')])
  await trust.poll()
  t.ok(trust.believes('a'))
  t.notOk(trust.believes('b'))
  clock.pass(2_999)
  t.ok(trust.believes('a'))
  clock.pass(1)
  t.notOk(trust.believes('a'))
})

t.test('counts from when the poll was sent, and a late answer gives nothing', async t => {
  const { trust, clock, says } = poller(t)
  const held = gate()
  says(async () => { await held.pass(); return [] })
  const polled = trust.poll()
  await held.reached
  clock.pass(3_000)
  held.open()
  await polled
  t.notOk(trust.believes('a'))
})

t.test('T13: a machine that slept, or whose clock was set, believes nothing until it has asked', async t => {
  const { trust, jump, clock } = poller(t)
  await trust.poll()
  jump(600_000)
  t.notOk(trust.believes('a'))
  await trust.poll()
  t.ok(trust.believes('a'))
  jump(-1_200_000)
  t.ok(trust.believes('a'), 'the monotonic clock still counts')
  clock.pass(3_000)
  t.notOk(trust.believes('a'))
})

t.test('with the store down it believes for a stated time, after two failures in a row', async t => {
  const { trust, clock, says } = poller(t)
  says(async () => [row('b')])
  await trust.poll()
  says(async () => { throw new FST_RSP_SESSION_STORE_DOWN('pending') })
  clock.pass(10_000)
  await trust.poll()
  t.notOk(trust.believes('a'), 'one failure may be our own pause')
  t.notOk(trust.durableDown)
  await trust.poll()
  t.ok(trust.durableDown)
  t.ok(trust.believes('a'))
  t.notOk(trust.believes('b'))
  clock.pass(50_000)
  t.notOk(trust.believes('a'))
  t.notOk(trust.outlasts('a'))
})

t.test('with more pending rows than can be carried along nothing is believed, and they are healed', async t => {
  const { trust, clock, says, healed } = poller(t)
  says(async () => Array.from({ length: 10_001 }, (_, i) => row(`h${i}`)))
  await trust.poll()
  t.notOk(trust.believes('a'))
  clock.pass(2_000)
  await trust.poll()
  await until('the healing', () => healed.length === 10_001)
})

t.test('heals rows that have been pending for two seconds, and leaves newer ones to their process', async t => {
  const { trust, clock, says, healed } = poller(t)
  says(async () => [row('a')])
  await trust.poll()
  clock.pass(2_000)
  says(async () => [row('a'), row('b'), { ...row('a'), pend: 3 }])
  await trust.poll()
  t.same(healed, ['a'])
})

t.test('with more pending rows than it carries along it believes nothing, also when the store fails afterwards', async t => {
  const { trust, says } = poller(t)
  await trust.poll()
  t.ok(trust.believes('a') && trust.outlasts('a'))
  says(async () => Array.from({ length: 10_001 }, (_, i) => row(`r${i}`)))
  await trust.poll()
  t.notOk(trust.believes('a') || trust.outlasts('a'))
  says(async () => { throw new Error('down') })
  for (let i = 0; i < 3; i++) await trust.poll()
  t.notOk(trust.believes('a') || trust.outlasts('a'))
})

t.test('a row that this process has made pending is not believed before a poll that was sent later', async t => {
  const { trust, says } = poller(t)
  await trust.poll()
  const held = gate()
  says(async () => { await held.pass(); return [] })
  const polled = trust.poll()
  await held.reached
  await trust.lags({ tag: 'tag', hash: 'a' })
  t.notOk(trust.believes('a') || trust.outlasts('a'))
  t.ok(trust.believes('b'))
  held.open()
  await polled
  t.notOk(trust.believes('a'), 'its answer is from before')
  await trust.poll()
  t.ok(trust.believes('a'), 'Redis agrees again')
})

t.test('with more rows made pending than can be carried along nothing is believed before a poll that was sent later', async t => {
  const { trust, says } = poller(t)
  await trust.poll()
  const held = gate()
  says(async () => { await held.pass(); return [] })
  const polled = trust.poll()
  await held.reached
  for (let i = 0; i < 10_000; i++) await trust.lags({ tag: 'tag', hash: `h${i}` })
  t.ok(trust.believes('a'))
  await trust.lags({ tag: 'tag', hash: 'last' })
  t.notOk(trust.believes('a') || trust.believes('last') || trust.outlasts('last'))
  held.open()
  await polled
  t.notOk(trust.believes('last'))
  await trust.poll()
  t.ok(trust.believes('last'))
})
