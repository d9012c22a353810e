import t from 'tap'
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
