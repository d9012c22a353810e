import type { CounterSeries, Metric } from '../metrics/metrics.ts'
import type { Unreadable } from './envelope.ts'

/** What becomes of a message: of one that is sent, and of one that comes. */
type MessageOutcome = 'published' | 'failed' | 'received' | Unreadable

/** The counters of a bus or of its durable topics. */
export type MessageCounts = Readonly<Record<MessageOutcome, CounterSeries>>

/** A counter for each outcome, at 0 from the start: what never happened is a line of the metric too. */
export function messageCounts (messages: Metric<CounterSeries>): MessageCounts {
  return {
    published: messages.of('published'),
    failed: messages.of('failed'),
    received: messages.of('received'),
    malformed: messages.of('malformed'),
    version: messages.of('version')
  }
}
