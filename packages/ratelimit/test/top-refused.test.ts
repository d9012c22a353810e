import { cpuMsOf, seeded } from '@respite/testing'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { TopRefused } from '../src/top-refused.ts'

const capacity = 1_000

const note = (refused: TopRefused, limit: string, key: string) => refused.note(limit, key, key)

t.test('up to a thousand callers are counted exactly, the most often refused first', async t => {
  const refused = new TopRefused()
  for (let i = 0; i < capacity; i++) for (let times = 0; times <= i % 10; times++) note(refused, 'api', `caller ${i}`)
  const all = refused.top(capacity + 1)
  t.equal(all.length, capacity)
  t.ok(all.every(({ key, refused, maxOver }) => refused === Number(key.slice(7)) % 10 + 1 && maxOver === 0))
  t.ok(all.every(({ refused }, i) => i === 0 || refused <= all[i - 1]!.refused))
  t.same(refused.top(3), all.slice(0, 3))
  t.same(refused.top(0), [])
})

t.test('a caller of two limits is two, and no two texts are one', async t => {
  const refused = new TopRefused()
  for (const [limit, key] of [['a', 'b'], ['ab', ''], ['', 'ab'], ['1 a', 'b'], ['a', 'b']] as const) note(refused, limit, key)
  t.match(refused.top(10), [{ limit: 'a', key: 'b', refused: 2 }, { limit: 'ab', key: '' }, { limit: '', key: 'ab' }, { limit: '1 a', key: 'b' }])
  t.equal(refused.top(10).length, 4)
})

t.test('of long keys the beginning is kept and shown, and those that begin alike are counted apart', async t => {
  const refused = new TopRefused()
  const long = '\ud800' + 'k'.repeat(255)
  for (const [i, key] of [long, `${long}1`, `${long}2`, `${long}2`].entries()) refused.note('api', key, `subject ${Math.min(i, 2)}`)
  t.same(refused.top(10).map(({ key, refused }) => [key, refused]), [[`${long}…`, 2], [long, 1], [`${long}…`, 1]])
})

t.test('callers with keys of half a megabyte cost no more than others', async t => {
  // Seen: two gigabytes of keys that were refused once each.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const refused = new TopRefused()
  collect()
  const beforeBytes = process.memoryUsage().heapUsed
  for (let i = 0; i < 200; i++) refused.note('api', `caller ${i} `.padEnd(500_000, 'k'), `subject ${i}`)
  collect()
  t.ok(process.memoryUsage().heapUsed - beforeBytes < 20_000_000)
  t.equal(refused.top(capacity).length, 200)
})

t.test('what is given out is a copy', async t => {
  const refused = new TopRefused()
  note(refused, 'api', 'x')
  refused.top(1)[0]!.refused = 99
  t.match(refused.top(1), [{ refused: 1 }])
})

t.test('a flood of callers stays within its bound, keeps those refused most, and each stated bound is true', async t => {
  const { below } = seeded(t)
  const refused = new TopRefused()
  const truth = new Map<string, number>()
  const notes = 60_000
  for (let i = 0; i < notes; i++) {
    const key = below(3) === 0 ? `often ${below(10)}` : `once ${i}`
    truth.set(key, (truth.get(key) ?? 0) + 1)
    note(refused, 'api', key)
  }
  const all = refused.top(Infinity)
  t.equal(all.length, capacity)
  for (const { key, refused, maxOver } of all) {
    const count = truth.get(key)!
    if (refused < count || refused - maxOver > count || maxOver > notes / capacity) t.fail(`${key}: ${count}, told ${refused}, at most ${maxOver} over`)
  }
  t.same(new Set(all.slice(0, 10).map(({ key }) => key)), new Set(Array.from({ length: 10 }, (_, i) => `often ${i}`)))
  t.equal(all.reduce((sum, { refused }) => sum + refused, 0), notes, 'no refusal is lost')
})

/** Space-Saving as it is written down: all counters are looked at, and of the least who has counted so much longest goes. */
class Naive {
  readonly #capacity: number
  #counters: { key: string, refused: number, maxOver: number }[] = []

  constructor (capacity: number) {
    this.#capacity = capacity
  }

  note (key: string): void {
    const known = this.#counters.find(counter => counter.key === key)
    const full = this.#counters.length === this.#capacity
    const least = full ? [...this.#counters].sort((a, b) => a.refused - b.refused)[0] : undefined
    const floor = least?.refused ?? 0
    const { refused, maxOver } = known ?? { refused: floor, maxOver: floor }
    this.#counters = [...this.#counters.filter(counter => counter !== (known ?? least)), { key, refused: refused + 1, maxOver }]
  }

  state (): string[] { return this.#counters.map(({ key, refused, maxOver }) => `${key} ${refused} ${maxOver}`).sort() }
}

t.test('counts as the naive form does, of whatever stream', async t => {
  const { below } = seeded(t)
  for (let round = 0; round < 200; round++) {
    const capacity = 1 + below(12)
    const [refused, naive] = [new TopRefused(capacity), new Naive(capacity)]
    const callers = 1 + below(capacity * 3)
    for (let i = 0; i < 300; i++) {
      const key = String(below(2) === 0 ? below(callers) : below(1 + below(callers)))
      note(refused, 'api', key)
      naive.note(key)
      const found = refused.top(Infinity).map(({ key, refused, maxOver }) => `${key} ${refused} ${maxOver}`).sort()
      if (found.join() !== naive.state().join()) return t.same(found, naive.state(), `note ${i} of round ${round}, ${capacity} counters`)
    }
  }
  t.pass()
})

t.test('a caller whom nobody knows costs no look at all the others', async t => {
  const cost = (capacity: number) => {
    const refused = new TopRefused(capacity)
    for (let i = 0; i < capacity; i++) note(refused, 'api', `first ${i}`)
    return cpuMsOf(() => { for (let i = 0; i < 20_000; i++) note(refused, 'api', `once ${i}`) })
  }
  const few = Math.min(cost(100), cost(100), cost(100))
  const many = Math.min(cost(10_000), cost(10_000), cost(10_000))
  t.ok(many < 25 * few, `${many} ms against ${few} ms`)
})
