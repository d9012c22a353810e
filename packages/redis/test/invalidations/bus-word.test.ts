import { until } from '@respite/testing'
import t from 'tap'
import type { TopicWatch } from '../../src/bus/topic.ts'
import type { RedisBus } from '../../src/bus/redis-bus.ts'
import type { BusListener, SubscribeOptions } from '../../src/bus/bus.ts'
import { BusWord } from '../../src/invalidations/bus-word.ts'
import type { Word } from '../../src/invalidations/word.ts'

/** A bus in the test's hand, and what its word says. */
function wired () {
  const said: unknown[] = []
  const published: unknown[] = []
  const hand = { failing: false, watch: undefined as unknown as TopicWatch, listener: undefined as unknown as BusListener, options: {} as SubscribeOptions }
  const bus = {
    watch: (topic: string, watch: TopicWatch) => { hand.watch = watch },
    subscribe: async (topic: string, listener: BusListener, options: SubscribeOptions) => { Object.assign(hand, { listener, options }) },
    publish: async (topic: string, value: unknown) => {
      if (hand.failing) throw new TypeError('down')
      published.push(value)
    }
  } as unknown as RedisBus
  const word: Word = {
    sure: untilMs => said.push(['sure', untilMs]),
    lost: () => said.push('lost'),
    changed: keys => said.push(keys),
    changedAll: () => said.push('all')
  }
  return { said, published, hand, bearer: new BusWord(bus, word) }
}

const info = { topic: '', origin: '', sequence: 0 }

t.test('what others say is passed on; what is no list of keys is not', async t => {
  const { said, hand, bearer } = wired()
  hand.watch.live(5)
  for (const value of [['a', 'b'], 'all', ['c', 7, null], { a: 1 }, 5, null]) await hand.listener(value, info)
  hand.options.onGap!('sequence')
  hand.watch.lost(new TypeError('gone'))
  t.same(said, [['sure', 5], ['a', 'b'], 'all', ['c'], 'lost', 'lost'])
  await bearer.close()
  hand.watch.live(9)
  await hand.listener('all', info)
  t.equal(said.length, 6, 'closed, it says nothing')
})

t.test('what is changed in one tick is told in one message', async t => {
  const { published, bearer } = wired()
  bearer.tell(['a', 'b'])
  bearer.tell(['b', 'c'])
  await until('it is published', () => published.length > 0)
  bearer.tell(['d'])
  bearer.tell(undefined)
  bearer.tell(['e'])
  await until('the next', () => published.length > 1)
  t.same(published, [['a', 'b', 'c'], 'all'])
})

t.test('more keys than a message should carry are told as all', async t => {
  const { published, bearer } = wired()
  bearer.tell(Array.from({ length: 10_001 }, (_, i) => `key${i}`))
  await until('it is published', () => published.length > 0)
  t.same(published, ['all'])
})

t.test('what could not be told is made up for by telling all, when that is possible again', async t => {
  const { published, hand, bearer } = wired()
  hand.failing = true
  bearer.tell(['a'])
  bearer.tell(['b'])
  await new Promise(resolve => setImmediate(resolve))
  await new Promise(resolve => setImmediate(resolve))
  hand.failing = false
  await until('the others are told', () => published.length > 0)
  t.same(published, ['all'])
  await bearer.close()
})
