import type { TypedTopic } from '../bus/topic-definition.ts'
import type { Queue, ResolvedQueueOptions } from './queue.ts'

/** What a queue is opened with. */
export interface QueueDefinition<T> {
  topic: TypedTopic<T>
  /** The value as its topic takes it. @throws FST_RSP_BUS_INVALID */
  fitting (value: unknown): Promise<T>
  origin: string
  options: ResolvedQueueOptions
}

/** A queue that can be closed with the app. */
export type OpenQueue<T = never> = Queue<T> & {
  /** Takes no more jobs, and waits for those at work. */
  close (): Promise<void>
}

/** Where queues are: on a server, or in memory. */
export interface QueueRoom {
  open<T> (definition: QueueDefinition<T>): OpenQueue<T>
  /** After all its queues. */
  close (): void
}
