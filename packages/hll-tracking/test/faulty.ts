import type { Gate } from '@respite/testing'
import { MemoryStore } from '../src/stores/memory.ts'
import type { Batch, TrackingStore } from '../src/stores/store.ts'
import { assemble, fakeClock, storeParts } from './assemble.ts'

type Fault = 'none' | 'not sent' | 'answer lost' | 'refused' | 'full'

/** One process over a store that fails as it is told: for all metrics, or for those that are away. */
export function faulty (options?: Parameters<typeof assemble>[2]) {
  const clock = fakeClock()
  const parts = storeParts(clock)
  const memory = new MemoryStore(parts)
  const sent: Batch[] = []
  const registered: string[] = []
  const server = { fault: 'none' as Fault, away: new Set<string>(), step: undefined as Gate | undefined }
  const store: TrackingStore = {
    async apply (batch) {
      if (registered.includes(batch.metric)) sent.push(batch)
      else throw new Error(`${batch.metric} is counted before it can be found`)
      await server.step?.pass()
      if (server.fault === 'not sent' || server.away.has(batch.metric)) throw Object.assign(new Error('down'), { outcome: 'not-sent' })
      if (server.fault === 'refused') throw Object.assign(new Error('WRONGTYPE'), { outcome: 'refused', reply: 'WRONGTYPE' })
      if (server.fault === 'full') throw Object.assign(new Error('Error running script: OOM command not allowed'), { outcome: 'refused', reply: 'ERR' })
      const fresh = await memory.apply(batch)
      if (server.fault === 'answer lost') throw Object.assign(new Error('timeout'), { outcome: 'unknown' })
      return fresh
    },
    count: (...args) => memory.count(...args),
    sketch: (...args) => memory.sketch(...args),
    top: (...args) => memory.top(...args),
    calls: (...args) => memory.calls(...args),
    async register (metrics) {
      if (server.fault === 'not sent' || server.away.has('names')) throw Object.assign(new Error('down'), { outcome: 'not-sent' })
      registered.push(...metrics)
    },
    metrics: () => memory.metrics(),
    find: (...args) => memory.find(...args),
    erase: (...args) => memory.erase(...args)
  }
  return { clock, server, store, sent, registered, memory, ...assemble(store, parts, options) }
}
