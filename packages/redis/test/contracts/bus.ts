import type { Test } from 'tap'
import { gate, until } from '@respite/testing'
import type { MessageInfo, PlainBus } from '../../src/bus/bus.ts'
import { largestMessageBytes } from '../../src/bus/envelope.ts'
import { mostWaiting } from '../../src/bus/subscription.ts'

export interface BusFixture {
  /** Another instance of the app on the same server. */
  instance (log?: object[]): Promise<PlainBus>
}

/** What every bus does, whatever carries its messages. */
export function busContract (t: Test, { instance }: BusFixture): void {
  t.test('a message reaches the other instances, in order, as a copy, with its origin and sequence', async t => {
    const [a, b] = [await instance(), await instance()]
    const heard: [unknown, MessageInfo][] = []
    const gaps: string[] = []
    await b.subscribe('orders', (value, info) => { heard.push([value, info]) }, { onGap: why => gaps.push(why) })
    const sent = { id: 1, text: 'ü\u0000"', nested: [null, true] }
    await a.publish('orders', sent)
    await a.publish('orders', 2)
    await a.publish('orders', null)
    await until('all messages', () => heard.length === 3)
    t.same(heard.map(([value]) => value), [sent, 2, null])
    t.not(heard[0]![0], sent)
    t.same(heard.map(([, { topic, origin, sequence }]) => [topic, origin, sequence]), [1, 2, 3].map(n => ['orders', a.origin, n]))
    t.match(a.origin, /^[\w-]{16}$/)
    t.same(gaps, [])
  })

  t.test('what an instance published comes back to it only where it is asked for', async t => {
    const a = await instance()
    const [heard, own]: [unknown[], unknown[]] = [[], []]
    await a.subscribe('echo', value => { heard.push(value) })
    await a.subscribe('echo', value => { own.push(value) }, { ownMessages: true })
    await a.publish('echo', 1)
    await until('the echo', () => own.length === 1)
    t.same(heard, [])
  })

  t.test('topics are kept apart, whatever characters they have', async t => {
    const [a, b] = [await instance(), await instance()]
    const topics = ['a', 'a:b', 'a*', '{a}', '', '*', 'ü\u0000', 'x'.repeat(1_000)]
    // A list for each listener: topics have no order among them, since in a Cluster several connections carry them.
    const heard = new Map<string, unknown[]>(topics.map(topic => [topic, []]))
    for (const topic of topics) await b.subscribe(topic, (value, info) => { heard.get(topic)!.push([value, info.topic]) })
    for (const topic of topics) await a.publish(topic, topic)
    await until('one each', () => [...heard.values()].every(own => own.length > 0))
    t.same([...heard], topics.map(topic => [topic, [[topic, topic]]]))
  })

  t.test('no message comes after unsubscribing, and the others still get theirs', async t => {
    const [a, b] = [await instance(), await instance()]
    const [first, second]: [unknown[], unknown[]] = [[], []]
    const stop = await b.subscribe('leave', value => { first.push(value) })
    await b.subscribe('leave', value => { second.push(value) })
    await a.publish('leave', 1)
    await until('both', () => first.length === 1 && second.length === 1)
    stop()
    stop()
    await a.publish('leave', 2)
    await until('the other', () => second.length === 2)
    t.same(first, [1])
  })

  t.test('a listener that throws or rejects is logged without the message and harms nobody', async t => {
    const log: object[] = []
    const [a, b] = [await instance(), await instance(log)]
    const heard: unknown[] = []
    await b.subscribe('harm', () => { throw new TypeError('thrown') })
    await b.subscribe('harm', async () => { throw new TypeError('rejected') })
    await b.subscribe('harm', value => { heard.push(value) })
    await a.publish('harm', { secret: 'sesame' })
    await a.publish('harm', 2)
    await until('both messages and all complaints', () => heard.length === 2 && log.length >= 4)
    t.same(log.map(entry => (entry as { err: Error }).err.message).sort(), ['rejected', 'rejected', 'thrown', 'thrown'])
    t.notMatch(JSON.stringify(log), /sesame/)
  })

  t.test('a listener gets one message at a time; when too many wait it is told of a gap', async t => {
    const [a, b] = [await instance(), await instance()]
    const slow = gate()
    const heard: unknown[] = []
    const gaps: string[] = []
    let running = 0
    await b.subscribe('slow', async value => {
      t.equal(++running, 1)
      if (value === 0) await slow.pass()
      heard.push(value)
      running--
    }, { onGap: why => gaps.push(why) })
    await a.publish('slow', 0)
    await slow.reached
    await Promise.all(Array.from({ length: mostWaiting + 1 }, (_, i) => a.publish('slow', i + 1)))
    await until('the overflow', () => gaps.length > 0)
    slow.open()
    await a.publish('slow', 'after')
    await until('what came after', () => heard.at(-1) === 'after')
    t.same(gaps, ['overflow'])
    t.equal(heard.length, 2)
  })

  t.test('refuses what is no JSON and what is too large, and loses no sequence by it', async t => {
    const [a, b] = [await instance(), await instance()]
    const [heard, gaps]: [unknown[], unknown[]] = [[], []]
    await b.subscribe('bad', value => { heard.push(value) }, { onGap: why => gaps.push(why) })
    await a.publish('bad', 1)
    const circle: { self?: object } = {}
    circle.self = circle
    for (const value of [circle, undefined, () => 1, Symbol('s'), 1n]) {
      await t.rejects(a.publish('bad', value), { code: 'FST_RSP_BUS_NOT_SERIALISABLE', message: /'bad'/ })
    }
    await t.rejects(a.publish('bad', 'x'.repeat(largestMessageBytes)), { code: 'FST_RSP_BUS_TOO_LARGE', message: new RegExp(`'bad'.*${largestMessageBytes}`) })
    await a.publish('bad', 2)
    await until('both', () => heard.length === 2)
    t.same(gaps, [])
  })

  t.test('knows how many instances there are', async t => {
    const [a, b] = [await instance(), await instance()]
    await until('each other', () => a.instances >= 2 && b.instances >= 2)
    t.ok(a.instances >= 2)
  })
}
