import { until } from '@respite/testing'
import t, { type Test } from 'tap'
import { encodeEnvelope } from '../../src/bus/envelope.ts'
import { DurableSubscription } from '../../src/streams/durable-subscription.ts'
import { parseStreamId, type StreamId } from '../../src/streams/stream-id.ts'
import { StreamTopic } from '../../src/streams/stream-topic.ts'

/** A topic of a server that is another when it is told so, with a listener that has heard all up to the fifth message, of the fifth millisecond. */
function topicOf (t: Test) {
  const order: unknown[] = []
  const asked: ((end: StreamId) => void)[] = []
  let era = 'first'
  const topic = new StreamTopic('a', 'a', {
    position: () => new Promise(resolve => { asked.push(resolve) }),
    era: () => era,
    count: () => {},
    renew: () => {},
    broken: error => t.error(error),
    left: () => {}
  })
  const listen = (from: string) => {
    const listener = (value: unknown) => { order.push(value) }
    topic.add(new DurableSubscription(listener, { from, onGap: why => { order.push(why) } }, { origin: 'b', topic: 'a', log: { error: () => {} }, wants: () => {} }))
  }
  listen('5-5')
  const read = (...ids: string[]) => topic.receive(ids.map(id => ({ id, message: Buffer.from(encodeEnvelope('a', { origin: 'a', sequence: 0, value: id })) })), topic.after)
  return {
    topic,
    order,
    listen,
    read,
    become: (name: string) => { era = name; topic.look() },
    /** The answer to that question of where the stream ends. */
    answer: async (question: number, id: string) => {
      const before = order.length
      asked[question]!(parseStreamId(id)!)
      await until('the gap', () => order.length > before)
    }
  }
}

t.test('where the end of the stream was lost, it is read on behind what is left', async t => {
  const { topic, order, read, become, answer } = topicOf(t)
  become('second')
  await answer(0, '3-3')
  t.equal(topic.after, '3-3')
  read('4-4')
  t.same(order, ['failover', '4-4'])
})

// Seen: the answer was late, and what had been read of the new server meanwhile came once more.
t.test('what was read of the new server before it said where the stream ends is not read again', async t => {
  const { topic, order, read, become, answer } = topicOf(t)
  become('second')
  read('6-4', '7-5')
  await answer(0, '3-3')
  t.equal(topic.after, '7-5')
  t.same(order, ['failover', '6-4', '7-5', 'failover'])
})

t.test('who begins to listen while that is asked is not handed what came before', async t => {
  const { topic, order, listen, become, answer } = topicOf(t)
  become('second')
  listen('4-4')
  await answer(0, '3-3')
  t.equal(topic.after, '3-3', 'the first')
  topic.receive([{ id: '4-4', message: Buffer.from(encodeEnvelope('a', { origin: 'a', sequence: 0, value: 'fourth' })) }], '3-3')
  t.same(order, ['failover', 'failover', 'fourth'])
})

t.test('where the server changes twice, it is read on behind what the last one has', async t => {
  const { topic, become, answer } = topicOf(t)
  become('second')
  become('third')
  await answer(0, '4-4')
  t.equal(topic.after, '4-4')
  await answer(1, '2-2')
  t.equal(topic.after, '2-2')
})
