import { MemoryJobs } from './memory-jobs.ts'
import type { OpenQueue, QueueDefinition, QueueRoom } from './queue-room.ts'
import { WorkQueue, type WorkQueueContext } from './work-queue.ts'

export interface MemoryQueueRoomOptions extends Omit<WorkQueueContext, 'store'> {
  /** The queues of all instances in this process. */
  shared: Map<string, MemoryJobs>
}

/** Queues within the process. */
export class MemoryQueueRoom implements QueueRoom {
  readonly #options: MemoryQueueRoomOptions

  constructor (options: MemoryQueueRoomOptions) {
    this.#options = options
  }

  open<T> (definition: QueueDefinition<T>): OpenQueue<T> {
    const { shared, ...about } = this.#options
    const { name } = definition.topic
    const store = shared.get(name) ?? new MemoryJobs(definition.options)
    shared.set(name, store)
    return new WorkQueue(definition, { ...about, store })
  }

  close (): void {}
}
