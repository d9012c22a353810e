import t, { type Test } from 'tap'
import { until } from '@respite/testing'
import { createRedisBus } from '../../src/bus/redis-bus.ts'
import { createKeyspace } from '../../src/keyspace.ts'
import { keys } from '../../src/keys.ts'
import { createMetrics } from '../../src/metrics/registry.ts'
import { busContract } from '../contracts/bus.ts'
import { redisBusContract } from '../contracts/redis-bus.ts'
import { instanceOver } from '../instance.ts'
import { mockedLink } from '../link/mocked-link.ts'
import { MockedAdapter, mockedAddress } from '../mocked-adapter.ts'

const channel = createKeyspace('respite').define(keys.bus.template).key
const adapters: MockedAdapter[] = []

async function instanceAt (address: ReturnType<typeof mockedAddress>, errors?: object[]) {
  const adapter = new MockedAdapter(address)
  adapters.push(adapter)
  return { adapter, ...await instanceOver(t, adapter, { errors }) }
}

/** Two instances of an app whose server nobody else has. */
async function pair (errors?: object[]) {
  const address = mockedAddress()
  return [await instanceAt(address), await instanceAt(address, errors)] as const
}

const common = mockedAddress()
const instance = async (errors?: object[]) => (await instanceAt(common, errors)).bus
const outsider = await instanceAt(common)

busContract(t, { instance })
redisBusContract(t, {
  instance,
  publishRaw: (topic, text) => outsider.link.send('PUBLISH', channel(topic), text),
  killSubscribers: async () => { for (const adapter of adapters) adapter.killSubscribers() }
})

t.test('who subscribes while Redis is down need not wait, and is told of a gap once the subscription is live', async t => {
  const [a, b] = await pair()
  const [heard, gaps]: [unknown[], string[]] = [[], []]
  b.adapter.lose()
  await b.bus.subscribe('later', value => { heard.push(value) }, { onGap: why => gaps.push(why) })
  await a.bus.publish('later', 'missed')
  t.same([heard, gaps], [[], []])
  b.adapter.connect()
  await until('the gap', () => gaps.length > 0)
  await a.bus.publish('later', 'heard')
  await until('the message', () => heard.length > 0)
  t.same([heard, gaps], [['heard'], ['reconnect']])
})

t.test('a message that could not be sent is a gap for who listens, as soon as another comes', async t => {
  const [a, b] = await pair()
  const order: unknown[] = []
  await b.bus.subscribe('hole', value => { order.push(value) }, { onGap: why => order.push(why) })
  await a.bus.publish('hole', 1)
  a.adapter.lose()
  await t.rejects(a.bus.publish('hole', 2), { code: 'FST_RSP_REDIS_DOWN', outcome: 'not-sent' })
  a.adapter.connect()
  await until('it is back', () => a.link.state === 'up')
  await a.bus.publish('hole', 3)
  await until('the third', () => order.at(-1) === 3)
  t.same(order, [1, 'sequence', 3])
})

t.test('an onGap that throws or rejects is logged and harms nobody', async t => {
  const log: object[] = []
  const [a, b] = await pair(log)
  const gaps: string[] = []
  await b.bus.subscribe('gaps', () => {}, { onGap: () => { throw new TypeError('thrown') } })
  await b.bus.subscribe('gaps', () => {}, { onGap: async () => { throw new TypeError('rejected') } })
  await b.bus.subscribe('gaps', () => {}, { onGap: why => gaps.push(why) })
  await a.link.send('PUBLISH', channel('gaps'), '{"v":2}')
  await until('all complaints', () => log.length >= 2)
  t.same(log.map(entry => (entry as { err: Error }).err.message), ['thrown', 'rejected'])
  t.same(gaps, ['sequence'])
})

/** A bus beside which nothing uses the adapter's connections for messages. */
async function lone (t: Test, timing: { heartbeatMs?: number, deadlineMs?: number } = {}) {
  const { adapter, link } = await mockedLink(t)
  const complaints: object[] = []
  const log = { error: (about: object) => { complaints.push(about) } }
  const bus = createRedisBus({ adapter, link, keyspace: createKeyspace('respite'), metrics: createMetrics(), log, ...timing })
  t.teardown(() => bus.close())
  return { adapter, link, bus, complaints, say: (topic: string, d: unknown) => link.send('PUBLISH', channel(topic), JSON.stringify({ v: 1, d })) }
}

t.test('a connection that no longer answers is replaced, and listeners are told of a gap', async t => {
  const { adapter, bus, complaints, say } = await lone(t, { heartbeatMs: 20, deadlineMs: 200 })
  const [heard, gaps]: [unknown[], string[]] = [[], []]
  await bus.subscribe('silence', value => { heard.push(value) }, { onGap: why => gaps.push(why) })
  adapter.hushSubscribers()
  await say('silence', 'missed')
  await until('the gap', () => gaps.length > 0)
  await say('silence', 'heard')
  await until('the message', () => heard.length > 0)
  t.same([heard, gaps, complaints], [['heard'], ['reconnect'], []])
  t.equal(adapter.subscribers, 1)
})

t.test('a closed bus leaves no connection open and hears nothing more', async t => {
  const { adapter, bus, say } = await lone(t)
  const heard: unknown[] = []
  await bus.subscribe('end', value => { heard.push(value) })
  await say('end', 1)
  await until('the message', () => heard.length > 0)
  t.equal(adapter.subscribers, 1)
  await bus.close()
  await until('its connection is closed', () => adapter.subscribers === 0)
  await say('end', 2)
  await new Promise(resolve => setImmediate(resolve)) // as long as a message takes
  t.same(heard, [1])
})

t.test('an instance that closes is no longer counted, at once', async t => {
  const [a, b] = await pair()
  await until('both to know of each other', () => a.bus.instances === 2 && b.bus.instances === 2)
  await b.bus.close()
  await until('the one to be alone', () => a.bus.instances === 1)
  t.equal(a.bus.instances, 1)
})
