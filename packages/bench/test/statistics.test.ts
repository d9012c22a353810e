import t from 'tap'
import { spreadOf } from '../src/statistics.ts'

t.test('the median of an odd number is the middle one, whatever their order', async t => {
  t.same(spreadOf([30, 10, 20]), { median: 20, min: 10, max: 30 })
})

t.test('the median of an even number lies between the two in the middle', async t => {
  t.same(spreadOf([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 })
})

t.test('ten is more than nine: numbers are not sorted as text', async t => {
  t.same(spreadOf([9, 10, 100]), { median: 10, min: 9, max: 100 })
})

t.test('nothing has no median', async t => {
  t.throws(() => spreadOf([]), RangeError)
})
