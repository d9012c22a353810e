import type { BusListener, SubscribeOptions } from '../bus/bus.ts'

/** For so long numbers go on where they were after all messages are gone, so that whoever comes back can tell what is missing: 30 days. */
export const numbersOutliveMs = 2_592_000_000

/** How much of a durable topic is kept. */
export interface Retention {
  /** Messages; when there are more, the oldest go. */
  readonly maxLength: number
  /** From the last one published on, in ms; then all are gone. */
  readonly keepMs: number
}

/** Fan-out that misses nothing which is still kept: each listener reads at its own cursor. */
export interface Streams {
  publish (topic: string, value: unknown, retention: Retention): Promise<void>
  subscribe (topic: string, listener: BusListener, options: SubscribeOptions): Promise<() => void>
  /** Reads no more, and waits for the listeners that are at work, for a bounded time. */
  close (): Promise<void>
}
