import type { FastifyBaseLogger } from 'fastify'
import type { PlainBus } from './bus.ts'
import { systemClock } from '../clock.ts'
import { randomToken } from '../random.ts'
import type { MemoryJobs } from '../queues/memory-jobs.ts'
import { MemoryLog } from '../streams/memory-log.ts'
import { encodeEnvelope } from './envelope.ts'
import { OwnSequences } from './own-sequences.ts'
import { TopicListeners } from './topic-listeners.ts'

/** What several buses of one process share, so that they hear each other. */
export class MemoryHub {
  readonly log = new MemoryLog(systemClock)
  readonly queues = new Map<string, MemoryJobs>()
  readonly members = new Set<(topic: string, bytes: Buffer) => void>()
}

export interface MemoryBusOptions {
  log: Pick<FastifyBaseLogger, 'error'>
  /** Other instances in this process. @default a hub of its own: nobody else */
  hub?: MemoryHub
}

/** A bus within the process. Values are written as JSON and read again, as with a server. */
export function createMemoryBus ({ log, hub = new MemoryHub() }: MemoryBusOptions): PlainBus & { close (): Promise<void> } {
  const origin = randomToken()
  const listeners = new TopicListeners({ origin, log })
  const sequences = new OwnSequences()
  const receive = (topic: string, bytes: Buffer) => { listeners.receive(topic, bytes) }
  hub.members.add(receive)

  return {
    origin,
    get instances () { return Math.max(1, hub.members.size) },
    async publish (topic, value) {
      const sequence = sequences.next(topic)
      const bytes = Buffer.from(encodeEnvelope(topic, { origin, sequence, value }))
      sequences.used(topic, sequence)
      // Never within `publish`: with a server no listener runs inside the publisher's call either.
      await new Promise<void>(resolve => setImmediate(resolve))
      for (const member of [...hub.members]) member(topic, bytes)
    },
    async subscribe (topic, listener, options = {}) {
      const stop = listeners.add(topic, listener, options)
      return () => { stop() }
    },
    async close () {
      hub.members.delete(receive)
    }
  }
}
