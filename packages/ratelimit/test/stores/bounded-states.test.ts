import { seeded } from '@respite/testing'
import t from 'tap'
import { BoundedStates, type Kept } from '../../src/stores/bounded-states.ts'

/** Says something, and refuses its subject, until given times. */
const state = (untilMs: number, blockedUntilMs = 0): Kept => ({ untilMs, blocked: nowMs => nowMs < blockedUntilMs })

function filled (max: number, make: (i: number) => Kept): BoundedStates<Kept> {
  const states = new BoundedStates<Kept>(max)
  for (let i = 0; i < max; i++) states.set(`old ${i}`, make(i), 0)
  return states
}

const keysOf = (states: BoundedStates<Kept>, prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix} ${i}`).filter(key => states.get(key, 0) !== undefined)

t.test('keeps a state until it says nothing any more', async t => {
  const states = new BoundedStates<Kept>(10)
  const one = state(100)
  t.equal(states.set('a', one, 0), true)
  t.equal(states.get('a', 99), one)
  t.equal(states.get('b', 99), undefined)
  t.equal(states.get('a', 100), undefined)
  t.equal(states.size, 0, 'and then it is gone')
})

t.test('a state can be set anew, dropped, and all of them forgotten', async t => {
  const states = filled(3, () => state(100))
  const anew = state(100)
  states.set('old 1', anew, 0)
  t.equal(states.size, 3)
  t.equal(states.get('old 1', 0), anew)
  states.delete('old 1')
  t.equal(states.get('old 1', 0), undefined)
  states.clear()
  t.equal(states.size, 0)
})

t.test('when it is full the longest unused goes', async t => {
  const states = filled(4, () => state(100))
  states.get('old 0', 0)
  states.set('old 1', state(100), 0)
  for (const key of ['new 0', 'new 1']) t.equal(states.set(key, state(100), 0), true)
  t.same(keysOf(states, 'old', 4), ['old 0', 'old 1'])
  t.same(keysOf(states, 'new', 2), ['new 0', 'new 1'])
})

t.test('a state that refuses its subject is passed over, and goes when it refuses no more', async t => {
  const states = filled(4, i => state(1_000, i === 0 ? 50 : 0))
  for (let i = 0; i < 100; i++) states.set(`new ${i}`, state(1_000), 0)
  t.ok(states.get('old 0', 0), 'it outlives a flood')
  t.equal(states.size, 4)
  for (let i = 0; i < 4; i++) states.set(`late ${i}`, state(1_000), 50)
  t.equal(states.get('old 0', 50), undefined)
})

t.test('when all that are kept refuse, a newcomer has no place, and none of them is reset', async t => {
  for (const max of [1, 15, 16, 17, 1_000]) {
    const states = filled(max, () => state(1_000, 50))
    for (let i = 0; i < 3 * max; i++) t.equal(states.set(`new ${i}`, state(1_000), 0), false)
    t.equal(states.size, max)
    t.equal(keysOf(states, 'old', max).length, max)
    t.equal(states.set('old 0', state(1_000), 0), true, 'who has a place keeps it')
    t.equal(states.set('late', state(1_000), 50), true)
  }
})

t.test('what has ended makes place two by two, before the map is full', async t => {
  const states = new BoundedStates<Kept>(1_000)
  for (let i = 0; i < 500; i++) states.set(`old ${i}`, state(10, 10), 0)
  for (let i = 0; i < 250; i++) states.set(`new ${i}`, state(1_000), 10)
  t.equal(states.size, 250)
})

t.test('a refusal that has ended goes before one that holds', async t => {
  const states = filled(3, i => state(i === 1 ? 10 : 1_000, 1_000))
  t.equal(states.set('new', state(1_000), 10), true)
  t.same([0, 1, 2].map(i => states.get(`old ${i}`, 10) !== undefined), [true, false, true])
})

t.test('under any traffic it stays within its bound, foresees whether there is a place, and never drops one that refuses', async t => {
  const { below } = seeded(t)
  const max = 64
  const states = new BoundedStates<Kept>(max)
  const refusing = new Map<string, number>()
  let nowMs = 0
  let turnedAway = 0
  for (let i = 0; i < 200_000; i++) {
    if (below(20) === 0) nowMs += below(10)
    const key = `k${below(400)}`
    if (states.get(key, nowMs) !== undefined) continue
    if ((refusing.get(key) ?? 0) > nowMs) return t.fail(`${key} was dropped at ${nowMs}, and refuses until ${refusing.get(key)}`)
    const untilMs = nowMs + 1 + below(100)
    const blockedUntilMs = below(3) === 0 ? untilMs : 0
    const foreseen = states.hasPlace(nowMs)
    const placed = states.set(key, state(untilMs, blockedUntilMs), nowMs)
    if (placed !== foreseen) return t.fail(`a place was ${foreseen ? '' : 'not '}foreseen at ${nowMs}`)
    if (placed) refusing.set(key, blockedUntilMs)
    else turnedAway++
    if (states.size > max) return t.fail(`${states.size} are kept`)
  }
  t.ok(turnedAway > 100, `${turnedAway} had no place`)
})

t.test('a hundred thousand rotating keys in a store of 1,000: bounded, and every blocked key outlives it', async t => {
  const states = filled(1_000, i => state(1e9, i % 2 === 0 ? 1e9 : 0))
  for (let i = 0; i < 100_000; i++) states.set(`new ${i}`, state(1e9), i / 100)
  t.equal(states.size, 1_000)
  t.equal(keysOf(states, 'old', 1_000).length, 500)
})
