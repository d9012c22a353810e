import t from 'tap'
import { until } from '@respite/testing'
import { createMemoryBus, MemoryHub } from '../../src/bus/memory-bus.ts'
import { busContract } from '../contracts/bus.ts'

const logTo = (log: object[]) => ({ error: (about: object) => { log.push(about) } }) as never

const hub = new MemoryHub()
busContract(t, { instance: async (log = []) => createMemoryBus({ hub, log: logTo(log) }) })

t.test('alone it is one instance, and after closing it hears nobody', async t => {
  const [a, b] = [createMemoryBus({ hub, log: logTo([]) }), createMemoryBus({ log: logTo([]) })]
  t.equal(b.instances, 1)
  const heard: unknown[] = []
  await a.subscribe('x', value => { heard.push(value) }, { ownMessages: true })
  await a.close()
  await a.publish('x', 1)
  t.same(heard, [])
})

// Seen: what a listener's promise has beside `then` was called too, and the listener heard nothing more.
t.test('a listener may return the promise of a library, which has then alone', async t => {
  const log: object[] = []
  const alone = createMemoryBus({ log: logTo(log) })
  const heard: unknown[] = []
  await alone.subscribe('x', value => {
    heard.push(value)
    return { then: (resolve: () => void) => { resolve() } } as never
  }, { ownMessages: true })
  await alone.publish('x', 1)
  await alone.publish('x', 2)
  await until('both', () => heard.length === 2)
  t.same([heard, log], [[1, 2], []])
})
