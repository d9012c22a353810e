import t from 'tap'
import { Seconds } from '../../../pages/dashboard/seconds.ts'
import { sampleFields, type SampleField } from '../../../src/dashboard/frame.ts'

const row = (values: Partial<Record<SampleField, number>>) => sampleFields.map(field => values[field] ?? 0)

t.test('keeps 15 minutes, and forgets what came before', async t => {
  const seconds = new Seconds()
  for (let i = 0; i < 1_000; i++) seconds.add(row({ atMs: i * 1_000, seconds: 1 }))
  t.equal(seconds.length, 900)
  t.same([seconds.column('atMs')[0], seconds.column('atMs').at(-1)], [100_000, 999_000])
})

t.test('there is no hit ratio without reads', async t => {
  const seconds = new Seconds()
  seconds.add(row({ atMs: 1_000, seconds: 1 }))
  t.equal(seconds.hitRatio(60), null)
  seconds.add(row({ atMs: 2_000, seconds: 1, hitsL1: 2, hitsL2: 1, misses: 1 }))
  t.equal(seconds.hitRatio(60), 0.75)
  t.equal(seconds.hitRatio(60, 1), null, 'up to then')
})

t.test('a rate is of the time that passed, not of the seconds that were meant', async t => {
  const seconds = new Seconds()
  seconds.add(row({ atMs: 1_000, seconds: 1, misses: 1 }))
  seconds.add(row({ atMs: 5_000, seconds: 4, misses: 4 }))
  t.same(seconds.rates('misses'), [1, 1])
  t.equal(seconds.rate('misses', 2), 1)
})

t.test('times go one way, though the clock of the server was set back', async t => {
  const seconds = new Seconds()
  for (const atMs of [1_000, 2_000, 3_000, 4_000, 2_500, 3_500]) seconds.add(row({ atMs, seconds: 1, hitsL1: atMs }))
  t.same(seconds.column('atMs'), [1_000, 2_000, 2_500, 3_500])
  t.same(seconds.column('hitsL1'), [1_000, 2_000, 2_500, 3_500], 'and each has what is its own')
})
