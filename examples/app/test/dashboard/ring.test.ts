import t from 'tap'
import { Ring } from '../../src/dashboard/ring.ts'

t.test('keeps the newest in order, however many come', async t => {
  const ring = new Ring<string>(3)
  t.equal(ring.newest, -1)
  t.same(ring.after(), [])
  for (const [i, value] of ['a', 'b', 'c', 'd', 'e'].entries()) t.equal(ring.push(value), i)
  t.same(ring.after(), ['c', 'd', 'e'])
  t.same(ring.after(3), ['e'])
  t.same(ring.after(4), [])
  t.same([ring.at(1), ring.at(2), ring.at(4), ring.at(5), ring.at(-1)], [undefined, 'c', 'e', undefined, undefined])
})

t.test('tells whether nothing is missing after a number', async t => {
  const ring = new Ring<string>(3)
  t.ok(ring.follows(-1), 'before the first')
  for (const value of ['a', 'b', 'c', 'd', 'e']) ring.push(value)
  for (const number of [1, 2, 4]) t.ok(ring.follows(number), String(number))
  for (const number of [-1, 0, 5, 2.5, NaN, Infinity]) t.notOk(ring.follows(number), String(number))
})
