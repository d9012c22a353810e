import type { Duration } from '@respite/redis'

/** A limit that lets requests wait for room, instead of refusing them at once. */
export interface DelayOptions {
  /** The longest wait, 1 ms to a minute. */
  max: Duration
  /** Requests that wait for this limit in a process at most, 1 to 10,000. @default 100 */
  waiting?: number
}

/** As the schema leaves them; `max` in ms. */
export interface DelayRule { readonly max: number, readonly waiting: number }

/** Types and bounds of `delay`. */
export const delaySchema = {
  type: 'object',
  additionalProperties: false,
  required: ['max'],
  properties: {
    max: { duration: true, minimumMs: 1, maximumMs: 60_000, description: 'The longest wait.' },
    waiting: { type: 'integer', minimum: 1, maximum: 10_000, default: 100, description: 'Requests that wait for this limit in a process at most.' }
  }
} as const
