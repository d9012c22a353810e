import { until } from '@respite/testing'
import t from 'tap'
import { serverOf } from '../messages-server.ts'

const durable = { durable: true }

t.test('with Redis frozen nothing hangs, and when it is back nothing was missed', async t => {
  const { server, instance } = await serverOf(t)
  const [a, b] = [await instance(), await instance()]
  const order: unknown[] = []
  await b.bus.subscribe('ice', value => { order.push(value) }, { ...durable, onGap: why => { order.push(why) } })
  await a.bus.publish('ice', 1, durable)
  await until('the first', () => order.length === 1)
  server.freeze()
  await t.rejects(a.bus.publish('ice', 2, durable), { code: /^FST_RSP_REDIS_/ })
  server.thaw()
  await until('it is back', () => a.bus.publish('ice', 3, durable).then(() => true, () => false))
  await until('the third', () => order.at(-1) === 3)
  t.same(order.filter(value => typeof value === 'string'), [])
  t.ok(order.length <= 3, 'what had no answer may have been published')
})

t.test('who subscribes while Redis does not answer does not wait for ever, and is told of a gap once the place is known', async t => {
  const { server, instance } = await serverOf(t)
  const [a, b] = [await instance(), await instance()]
  const order: unknown[] = []
  server.freeze()
  await b.bus.subscribe('later', value => { order.push(value) }, { ...durable, onGap: why => { order.push(why) } })
  t.same(order, [])
  server.thaw()
  await until('the gap', () => order.length > 0)
  await until('it is taken', () => a.bus.publish('later', 1, durable).then(() => true, () => false))
  await until('the message', () => order.at(-1) === 1)
  t.same(order, ['reconnect', 1])
})

t.test('a Redis that was killed and comes back empty is a gap, and what is published then is heard', async t => {
  const { server, instance } = await serverOf(t)
  const [a, b] = [await instance(), await instance()]
  const order: unknown[] = []
  await b.bus.subscribe('empty', value => { order.push(value) }, { ...durable, onGap: why => { order.push(why) } })
  for (const n of [1, 2, 3]) await a.bus.publish('empty', n, durable)
  await until('all', () => order.length === 3)
  await server.kill()
  await t.rejects(a.bus.publish('empty', 4, durable), { code: /^FST_RSP_REDIS_/ })
  await server.restart()
  await until('it is back', () => a.bus.publish('empty', 5, durable).then(() => true, () => false))
  await until('the fifth', () => order.includes(5))
  await until('a gap', () => order.includes('failover'))
  t.same(order.filter(value => typeof value === 'number'), [1, 2, 3, 5])
})

t.test('who may not publish is told so, also where nobody has yet', async t => {
  const { client, instance } = await serverOf(t)
  const { bus } = await instance()
  await client.call('ACL', 'SETUSER', 'default', '-xadd')
  await t.rejects(bus.publish('denied', 1, durable), { code: 'FST_RSP_REDIS_REPLY', message: /no permissions|can't run/ })
  await client.call('ACL', 'SETUSER', 'default', '+xadd')
  await bus.publish('denied', 1, durable)
})
