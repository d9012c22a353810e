import t from 'tap'
import { durationText } from '../src/duration-text.ts'

t.test('a duration is told in the largest unit that says it whole', async t => {
  for (const [ms, text] of [
    [1, '1 ms'], [250, '250 ms'], [1_000, '1 s'], [1_500, '1500 ms'], [5_000, '5 s'], [60_000, '1 min'], [90_000, '90 s'],
    [3_600_000, '1 h'], [5_400_000, '90 min'], [86_400_000, '1 d'], [30 * 86_400_000, '30 d'], [36 * 3_600_000, '36 h']
  ] as const) t.equal(durationText(ms), text)
})
