import type { Test } from 'tap'
import { gate, until } from '@respite/testing'
import type { MessageInfo } from '../../src/bus/bus.ts'
import { largestMessageBytes } from '../../src/bus/envelope.ts'
import { defineTopic } from '../../src/bus/topic-definition.ts'
import { mostWaiting } from '../../src/streams/durable-subscription.ts'
import { counted, type Messages, type MessagesSettings } from '../messages-of.ts'

export interface MessagesFixture {
  /** Another instance of the app on the same server. */
  instance (settings?: MessagesSettings): Promise<Messages>
}

const durable = { durable: true }

/** What durable topics do, whatever keeps their messages. */
export function durableTopicsContract (t: Test, { instance }: MessagesFixture): void {
  /** Writes down what is heard on a topic. */
  async function listening (topic: string, options: { from?: string, ownMessages?: boolean } = {}) {
    const { bus } = await instance()
    const heard: unknown[] = []
    const order: unknown[] = []
    const infos: MessageInfo[] = []
    const stop = await bus.subscribe(topic, (value, info) => {
      heard.push(value)
      order.push(value)
      infos.push(info)
    }, { ...durable, ...options, onGap: why => { order.push(why) } })
    return { bus, heard, order, infos, stop }
  }

  t.test('a durable message reaches every instance, in order, with its number and id', async t => {
    const { bus } = await instance()
    const [a, b] = [await listening('orders'), await listening('orders')]
    for (const value of [{ id: 1, text: 'ü\u0000"' }, 2, null]) await bus.publish('orders', value, durable)
    await until('all', () => a.heard.length === 3 && b.heard.length === 3)
    t.same(a.order, [{ id: 1, text: 'ü\u0000"' }, 2, null])
    t.same(b.order, a.order)
    t.same(a.infos.map(({ topic, origin, sequence }) => [topic, origin, sequence]), [1, 2, 3].map(n => ['orders', bus.origin, n]))
    t.ok(a.infos.every(({ id }) => /^\d+-\d+$/.test(id!)))
  })

  t.test('plain and durable messages of one topic are two things', async t => {
    const { bus } = await instance()
    const { heard, bus: other } = await listening('two')
    const plain: unknown[] = []
    await other.subscribe('two', value => { plain.push(value) })
    await bus.publish('two', 'plain')
    await bus.publish('two', 'kept', durable)
    await until('both', () => heard.length + plain.length === 2)
    t.same([heard, plain], [['kept'], ['plain']])
  })

  t.test('what an instance published comes back to it only where it is asked for', async t => {
    const a = await listening('echo', { ownMessages: true })
    const heard: unknown[] = []
    await a.bus.subscribe('echo', value => { heard.push(value) }, durable)
    await a.bus.publish('echo', 1, durable)
    const { bus } = await instance()
    await bus.publish('echo', 2, durable)
    await until('the second', () => heard.length > 0 && a.heard.length === 2)
    t.same([heard, a.heard], [[2], [1, 2]])
  })

  t.test('from the start one hears all that is kept, from an id what came after it, else what comes from now on', async t => {
    const { bus } = await instance()
    for (const n of [1, 2, 3]) await bus.publish('past', n, durable)
    const all = await listening('past', { from: 'start' })
    await until('all', () => all.heard.length === 3)
    const rest = await listening('past', { from: all.infos[1]!.id! })
    const now = await listening('past')
    await bus.publish('past', 4, durable)
    await until('the fourth', () => [all, rest, now].every(({ heard }) => heard.at(-1) === 4))
    t.same([all.order, rest.order, now.order], [[1, 2, 3, 4], [3, 4], [4]])
  })

  t.test('a cursor that was trimmed past is a gap, and exactly that', async t => {
    const { bus } = await instance()
    const short = defineTopic<number>('trimmed', { durable: { maxLength: 10 } })
    await bus.publish(short, 1)
    const first = await listening('trimmed', { from: 'start' })
    await until('the first', () => first.heard.length === 1)
    const [{ id }] = first.infos as [MessageInfo]
    first.stop()
    for (let n = 2; n <= 500; n++) await bus.publish(short, n)
    const late = await listening('trimmed', { from: id! })
    await until('the last', () => late.heard.at(-1) === 500)
    const heard = late.heard as number[]
    t.equal(late.order[0], 'trimmed')
    t.equal(late.order.length, heard.length + 1)
    t.ok(heard.length >= 10 && heard.length < 300, `${heard.length} were kept`)
    t.same(heard, Array.from({ length: heard.length }, (_, i) => heard[0]! + i))
    t.ok(late.infos[0]!.sequence === heard[0])
  })

  t.test('a slow listener reads no further than it can take, misses nothing, and holds nobody up', async t => {
    const { bus } = await instance()
    const slow = gate()
    const heard: unknown[] = []
    const gaps: string[] = []
    const other = await listening('slow')
    const { bus: slowed, metrics } = await instance()
    await slowed.subscribe('slow', async value => {
      if (value === 0) await slow.pass()
      heard.push(value)
    }, { ...durable, onGap: why => { gaps.push(why) } })
    const many = 5 * mostWaiting
    for (let n = 0; n < many; n++) await bus.publish('slow', n, durable)
    await slow.reached
    await until('the other to have all, and this one what it can take', () => other.heard.length === many && counted(metrics, 'bus_stream_messages_total', 'received') >= mostWaiting)
    t.same(heard, [])
    const read = counted(metrics, 'bus_stream_messages_total', 'received')
    t.ok(read >= mostWaiting && read <= 2 * mostWaiting, `${read} were read`)
    slow.open()
    await until('all', () => heard.length === many)
    t.same(heard, Array.from({ length: many }, (_, n) => n))
    t.same(gaps, [])
  })

  t.test('a listener or onGap that throws or rejects is logged without the message and harms nobody', async t => {
    const errors: object[] = []
    const { bus } = await instance({ errors })
    const heard: unknown[] = []
    await bus.subscribe('harm', () => { throw new TypeError('thrown') }, durable)
    await bus.subscribe('harm', async () => { throw new TypeError('rejected') }, durable)
    await bus.subscribe('harm', value => { heard.push(value) }, durable)
    const { bus: other } = await instance()
    await other.publish('harm', { secret: 'sesame' }, durable)
    await other.publish('harm', 2, durable)
    await until('both messages and all complaints', () => heard.length === 2 && errors.length >= 4)
    t.same(errors.map(entry => (entry as { err: Error }).err.message).sort(), ['rejected', 'rejected', 'thrown', 'thrown'])
    t.notMatch(JSON.stringify(errors), /sesame/)
  })

  t.test('no message comes after unsubscribing, and the others still get theirs', async t => {
    const { bus } = await instance()
    const [a, b] = [await listening('leave'), await listening('leave')]
    await bus.publish('leave', 1, durable)
    await until('both', () => a.heard.length === 1 && b.heard.length === 1)
    a.stop()
    a.stop()
    await bus.publish('leave', 2, durable)
    await until('the other', () => b.heard.length === 2)
    t.same(a.heard, [1])
  })

  t.test('refuses what cannot be sent and where none can begin', async t => {
    const { bus } = await instance()
    await t.rejects(bus.publish('bad', undefined, durable), { code: 'FST_RSP_BUS_NOT_SERIALISABLE' })
    await t.rejects(bus.publish('bad', 'x'.repeat(largestMessageBytes), durable), { code: 'FST_RSP_BUS_TOO_LARGE' })
    await t.rejects(bus.subscribe('bad', () => {}, { ...durable, from: 'yesterday' }), { code: 'FST_RSP_BUS_FROM', message: /'yesterday'/ })
    // Seen: an id that was rounded to one of 17 digits, which no stream takes, ended the process.
    for (const from of ['1-9999999999999999', '9999999999999999-1', '1-2-3', '1-', '-1-1', '']) {
      await t.rejects(bus.subscribe('bad', () => {}, { ...durable, from }), { code: 'FST_RSP_BUS_FROM' }, from)
    }
    await t.rejects(bus.subscribe('bad', () => {}, { from: 'start' }), { code: 'FST_RSP_BUS_FROM', message: /not durable/ })
  })

  t.test('what does not fit its topic is not sent; what comes and does not fit is a gap, and counted', async t => {
    const topic = defineTopic<{ n: number }>('typed', { durable: true, schema: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } })
    const [a, b] = [await instance(), await instance()]
    const order: unknown[] = []
    await b.bus.subscribe(topic, ({ n }) => { order.push(n) }, { onGap: why => { order.push(why) } })
    await a.bus.publish(topic, { n: 1 })
    await t.rejects(a.bus.publish(topic, { n: 'sesame' } as never), { code: 'FST_RSP_BUS_INVALID', message: /'typed'.*\/n must be integer/ })
    await a.bus.publish('typed', { n: 'two' }, durable)
    await a.bus.publish(topic, { n: 3 })
    await until('the third', () => order.at(-1) === 3)
    t.same(order, [1, 'invalid', 3])
    t.equal(counted(a.metrics, 'bus_invalid_messages_total', 'out'), 1)
    t.equal(counted(b.metrics, 'bus_invalid_messages_total', 'in'), 1)
    t.equal(counted(b.metrics, 'bus_gaps_total', 'invalid'), 1)
  })

  t.test('closing waits for the listener that is at work, and hands over nothing more', async t => {
    const [a, b] = [await instance(), await instance()]
    const slow = gate()
    const heard: unknown[] = []
    await b.bus.subscribe('closing', async value => {
      await slow.pass()
      heard.push(value)
    }, durable)
    for (const n of [1, 2, 3]) await a.bus.publish('closing', n, durable)
    await slow.reached
    const closed = b.bus.close()
    slow.open()
    await closed
    t.same(heard, [1])
  })

  t.test('closing does not wait for ever for a listener that never ends, and says so', async t => {
    const errors: object[] = []
    const [a, b] = [await instance(), await instance({ errors, closeWithinMs: 50 })]
    const stuck = gate()
    const heard: unknown[] = []
    await b.bus.subscribe('stuck', () => stuck.pass(), durable)
    await b.bus.subscribe('stuck', value => { heard.push(value) }, durable)
    for (const n of [1, 2]) await a.bus.publish('stuck', n, durable)
    await stuck.reached
    await b.bus.close()
    t.match(errors, [{ topic: 'stuck' }])
    await a.bus.publish('stuck', 3, durable)
    stuck.open()
    t.notOk(heard.includes(3))
  })
}
