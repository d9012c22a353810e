import type { Test } from 'tap'
import { until } from '@respite/testing'
import { createKeyspace } from '../../src/keyspace.ts'
import { keys } from '../../src/keys.ts'
import { bucketOf } from '../../src/streams/bucket.ts'
import type { MessagesFixture } from './durable-topics.ts'

export interface ServedMessagesFixture extends MessagesFixture {
  /** Sends a command as somebody else would; of a Cluster, CLIENT and INFO to every master. */
  send (command: string, ...args: (string | number)[]): Promise<unknown>
}

const durable = { durable: true }
const streamKey = createKeyspace('respite').define(keys.stream.template).key
const keyOf = (topic: string) => streamKey(bucketOf(topic), topic)

/** What durable topics do on a server beside the contract of all. */
export function redisDurableTopicsContract (t: Test, { instance, send }: ServedMessagesFixture): void {
  async function listening (topic: string, errors: object[] = []) {
    const { bus } = await instance({ errors })
    const order: unknown[] = []
    await bus.subscribe(topic, value => { order.push(value) }, { ...durable, onGap: why => { order.push(why) } })
    return { bus, order }
  }

  t.test('connections that are killed are made anew, and nothing is missed or said to be', async t => {
    const { bus } = await instance()
    const { order } = await listening('killed')
    const count = 60
    for (let n = 0; n < count; n++) {
      if (n % 20 === 10) await send('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      // Whatever is sent to a connection that was killed before is not executed.
      await until(`message ${n} is taken`, () => bus.publish('killed', n, durable).then(() => true, () => false))
    }
    await until('the last', () => order.at(-1) === count - 1)
    t.same(order, Array.from({ length: count }, (_, n) => n))
  })

  t.test('a stream that was deleted goes on with its numbers: what nobody had read is a gap, what everybody had read is none', async t => {
    const { bus } = await instance()
    const { order } = await listening('deleted')
    await bus.publish('deleted', 1, durable)
    await until('the first', () => order.length === 1)
    await send('DEL', keyOf('deleted'))
    await bus.publish('deleted', 2, durable)
    await until('the second', () => order.length === 2)
    t.same(order, [1, 2])
    await send('DEL', keyOf('deleted'), `${keyOf('deleted')}:last`)
    // A message of the same millisecond would lie before the cursor, and the hole be told with the one after it.
    const timeMs = async () => {
      const [seconds, micros] = await send('TIME') as [string, string]
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
    }
    const deletedMs = await timeMs()
    await until('the next millisecond', async () => await timeMs() > deletedMs)
    await bus.publish('deleted', 3, durable)
    await until('the third', () => order.at(-1) === 3)
    t.same(order, [1, 2, 'failover', 3])
  })

  t.test('a stream and, a month later, its numbers have an expiry, which each message prolongs', async t => {
    const { bus } = await instance()
    await bus.publish('expiry', 1, durable)
    const monthMs = 2_592_000_000
    for (const [key, moreMs] of [[keyOf('expiry'), 0], [`${keyOf('expiry')}:last`, monthMs]] as const) {
      await send('PEXPIRE', key, 5_000)
      await bus.publish('expiry', 2, durable)
      const ms = Number(await send('PTTL', key))
      t.ok(ms > moreMs + 50_000 && ms <= moreMs + 60_000, `${key}: ${ms} ms`)
    }
  })

  t.test('an entry that somebody else put there, with an id beyond all of ours, is told once and not read again and again', async t => {
    const errors: object[] = []
    const { bus } = await instance()
    const { order } = await listening('beyond', errors)
    const reads = async () => {
      const stats = String(await send('INFO', 'commandstats'))
      return [...stats.matchAll(/cmdstat_xread:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)
    }
    await bus.publish('beyond', 1, durable)
    await send('XADD', keyOf('beyond'), '1795000000000000000-0', 'm', 'x')
    await until('a word in the log', () => errors.length > 0)
    t.match(errors, [{ err: { code: 'FST_RSP_BUS_FOREIGN_ID', message: /1795000000000000000-0/ }, topic: 'beyond' }])
    const before = await reads()
    await t.rejects(bus.publish('beyond', 2, durable), { code: 'FST_RSP_REDIS_REPLY', message: /none of ours can follow/ })
    const { order: beside } = await listening('beside')
    for (let n = 0; n < 20; n++) await bus.publish('beside', n, durable)
    await until('all of another topic', () => beside.length >= 20)
    t.same(beside, Array.from({ length: 20 }, (_, n) => n))
    t.ok(await reads() - before < 100, 'it is left alone meanwhile')
    await send('DEL', keyOf('beyond'))
    await bus.publish('beyond', 3, durable)
    await until('the one behind', () => order.length === 2)
    t.same(order, [1, 3])
    t.equal(errors.length, 1)
  })

  // Seen: until the clock had passed it, nothing could be published to the topic.
  t.test('an entry that somebody else put there for a time to come and deleted holds nothing up: messages go on behind it, without a gap', async t => {
    const { bus } = await instance()
    const { order } = await listening('future')
    const ids: string[] = []
    await bus.subscribe('future', (_, { id }) => { ids.push(id!) }, { ...durable, ownMessages: true })
    await bus.publish('future', 1, durable)
    await until('the first', () => order.length === 1)
    const largestMs = Number.MAX_SAFE_INTEGER - 1
    for (const [n, id] of [[2, '9999999999999-7'], [4, `${largestMs - 1}-18446744073709551615`]] as const) {
      // Nobody reads it: it is gone before anybody else is asked.
      await send('EVAL', "redis.call('XADD', KEYS[1], ARGV[1], 'm', 'x') redis.call('XDEL', KEYS[1], ARGV[1])", 1, keyOf('future'), id)
      for (const value of [n, n + 1]) await bus.publish('future', value, durable)
    }
    await until('all', () => order.length >= 5 && ids.length >= 5)
    t.same(order, [1, 2, 3, 4, 5])
    t.same(ids.slice(1), ['10000000000000-2', '10000000000000-3', `${largestMs}-4`, `${largestMs}-5`])
    const { bus: late } = await instance()
    const rest: unknown[] = []
    await late.subscribe('future', value => { rest.push(value) }, { ...durable, from: ids[2]!, onGap: why => { rest.push(why) } })
    await until('what came behind the third', () => rest.length >= 2)
    t.same(rest, [4, 5])
  })

  t.test('an entry of somebody else of which only the number is beyond all of ours is passed over', async t => {
    const { bus } = await instance()
    const { order } = await listening('numbered')
    await bus.publish('numbered', 1, durable)
    const ms = String(await send('GET', `${keyOf('numbered')}:last`)).split('-')[0]
    await send('XADD', keyOf('numbered'), `${ms}-18446744073709551615`, 'm', 'x')
    await bus.publish('numbered', 2, durable)
    await until('the one behind', () => order.at(-1) === 2)
    t.same(order, [1, 'failover', 'trimmed', 2], 'its number is none of ours: two holes')
  })

  t.test('a key of another type is a clear error, and keeps no other topic from being read', async t => {
    const { bus } = await instance()
    const errors: object[] = []
    const topics = Array.from({ length: 40 }, (_, i) => `typed-${i}`)
    const heard = new Set<string>()
    const { bus: other } = await instance({ errors })
    for (const topic of topics) await other.subscribe(topic, (_, info) => { heard.add(info.topic) }, durable)
    const [wrong, ...right] = topics as [string, ...string[]]
    await send('SET', keyOf(wrong), 'mine')
    await t.rejects(bus.publish(wrong, 1, durable), { code: 'FST_RSP_REDIS_REPLY', reply: 'WRONGTYPE' })
    await t.rejects(bus.subscribe(wrong, () => {}, durable), { code: 'FST_RSP_REDIS_REPLY', reply: 'WRONGTYPE' })
    await Promise.all(right.map(topic => bus.publish(topic, 1, durable)))
    await until('all others', () => heard.size === right.length)
    await until('a word in the log', () => errors.length > 0)
    t.equal(errors.length, 1)
    t.match(errors[0], { topic: wrong })
    await send('DEL', keyOf(wrong))
    await bus.publish(wrong, 1, durable)
    await until('it too', () => heard.size === topics.length)
  })

  t.test('what others have written there harms nobody', async t => {
    const { bus } = await instance()
    const { order } = await listening('foreign')
    await bus.publish('foreign', 1, durable)
    await until('the first', () => order.length === 1)
    await send('XADD', keyOf('foreign'), '*', 'x', 'y')
    await send('XADD', keyOf('foreign'), '9000000000000-0', 'm', '{"v":9}')
    await bus.publish('foreign', 2, durable)
    await until('the second', () => order.at(-1) === 2)
    t.equal(order[0], 1)
    t.ok(order.slice(1, -1).every(word => ['failover', 'trimmed', 'sequence'].includes(String(word))), order.join())
  })
}
