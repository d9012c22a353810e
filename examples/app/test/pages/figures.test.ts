import t from 'tap'
import { figure, milliseconds, timeWithin } from '../../pages/figures.ts'

t.test('figures have three digits below a thousand, and none after the point above', async t => {
  t.same([0, 0.12345, 5.911, 711.49, 999.9, 3561.4, 1234567].map(figure), ['0', '0.123', '5.91', '711', '1,000', '3,561', '1,234,567'])
  t.same([undefined, 3.444].map(milliseconds), ['–', '3.44 ms'])
})

t.test('a time that is known by its bounds is told as such', async t => {
  t.same([null, { aboveMs: 500, upToMs: 1_000 }, { aboveMs: 5_000, upToMs: null }].map(timeWithin), ['–', '≤ 1,000 ms', '> 5,000 ms'])
})
