import t from 'tap'
import { roundOrders } from '../src/rounds.ts'

const names = ['bare', 'redis1', 'peers', 'respite']

t.test('every round measures every candidate once', async t => {
  for (const order of roundOrders(names, 20, 7)) t.same([...order].sort(), [...names].sort())
})

t.test('the first round is in the given order, and the order changes', async t => {
  const orders = roundOrders(names, 20, 7)
  t.same(orders[0], names)
  t.ok(new Set(orders.map(String)).size > 5, `${new Set(orders.map(String)).size} different orders in 20 rounds`)
})

t.test('the same seed gives the same orders, another seed others', async t => {
  t.same(roundOrders(names, 10, 42), roundOrders(names, 10, 42))
  t.notSame(roundOrders(names, 10, 42), roundOrders(names, 10, 43))
})

t.test('over many rounds every candidate takes every place about equally often', async t => {
  const orders = roundOrders(names, 4_001, 1).slice(1)
  for (const name of names) {
    for (let place = 0; place < names.length; place++) {
      const times = orders.filter(order => order[place] === name).length
      t.ok(times > 850 && times < 1_150, `${name} at ${place}: ${times} of 4000`)
    }
  }
})
