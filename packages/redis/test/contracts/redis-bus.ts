import type { Test } from 'tap'
import { until } from '@respite/testing'
import type { PlainBus } from '../../src/bus/bus.ts'

export interface RedisBusFixture {
  instance (): Promise<PlainBus>
  /** Publishes bytes as somebody else would, on the channel of a topic. */
  publishRaw (topic: string, text: string | Buffer): Promise<unknown>
  /** Kills every connection that is subscribed to something. */
  killSubscribers (): Promise<unknown>
}

/** What a bus over a server does beside the contract of every bus. */
export function redisBusContract (t: Test, { instance, publishRaw, killSubscribers }: RedisBusFixture): void {
  /** An instance that writes down what it hears on a topic. */
  async function listening (topic: string) {
    const bus = await instance()
    const heard: unknown[] = []
    const gaps: string[] = []
    await bus.subscribe(topic, value => { heard.push(value) }, { onGap: why => gaps.push(why) })
    return { bus, heard, gaps }
  }

  t.test('a hole in a publisher\'s sequence is a gap, told before the message after it', async t => {
    const { heard, gaps, bus } = await listening('holes')
    const order: unknown[] = []
    await bus.subscribe('holes', value => { order.push(value) }, { onGap: why => order.push(why) })
    for (const s of [4, 5, 7]) await publishRaw('holes', JSON.stringify({ v: 1, o: 'elsewhere', s, d: s }))
    await until('all', () => heard.length === 3)
    t.same(gaps, ['sequence'])
    t.same(order, [4, 5, 'sequence', 7])
  })

  t.test('a message of another language is heard; bytes that are none are not, and harm nobody', async t => {
    const { heard, gaps } = await listening('foreign')
    for (const bytes of ['no json', Buffer.from([0xff, 0xfe, 0]), '{"v":1}', '']) await publishRaw('foreign', bytes)
    await publishRaw('foreign', '{"v":1,"d":"hello"}')
    await until('the message', () => heard.length > 0)
    t.same(heard, ['hello'])
    t.same(gaps, [])
  })

  t.test('a message of a newer form is a missed one', async t => {
    const { heard, gaps } = await listening('newer')
    await publishRaw('newer', '{"v":2,"x":1}')
    await until('the gap', () => gaps.length > 0)
    t.same([heard, gaps], [[], ['sequence']])
  })

  t.test('after a lost connection listeners are told of a gap once the subscription is live again', async t => {
    const { heard, gaps, bus } = await listening('lost')
    const other = await instance()
    await other.publish('lost', 1)
    await until('the first', () => heard.length === 1)
    await killSubscribers()
    await until('the gap', () => gaps.length > 0)
    t.equal(gaps[0], 'reconnect')
    await other.publish('lost', 2)
    await until('a message after it', () => heard.at(-1) === 2)
    t.same(gaps, ['reconnect'])
    await until('both know each other still', () => bus.instances >= 2)
  })

  t.test('who unsubscribes and subscribes again at once hears on', async () => {
    const { bus, heard } = await listening('again')
    const other = await instance()
    for (let i = 0; i < 10; i++) {
      const seen: unknown[] = []
      const stop = await bus.subscribe('again-and-again', value => { seen.push(value) })
      await other.publish('again-and-again', i)
      await until(`message ${i}`, () => seen.length === 1)
      stop()
    }
    await other.publish('again', 'still')
    await until('the other topic', () => heard.length === 1)
  })
}
