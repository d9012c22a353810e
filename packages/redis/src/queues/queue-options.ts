import { defineOptions } from '../option-schema.ts'
import type { QueueOptions, ResolvedQueueOptions, WorkOptions } from './queue.ts'

const dayMs = 86_400_000

/** Every type, bound and default of a queue. */
export const queueSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    attempts: { type: 'integer', minimum: 1, maximum: 1_000, default: 5 },
    deadline: { duration: true, minimumMs: 1, maximumMs: dayMs, default: 30_000 },
    lease: { duration: true, minimumMs: 100, maximumMs: 3_600_000, default: 10_000 },
    retryAfter: { duration: true, minimumMs: 0, maximumMs: 3_600_000, default: 1_000 },
    maxPending: { type: 'integer', minimum: 1, maximum: 10_000_000, default: 10_000 },
    maxDead: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 1_000 },
    keep: { duration: true, minimumMs: 1_000, maximumMs: 365 * dayMs, default: 7 * dayMs }
  }
} as const

/** @throws FST_RSP_OPTION_INVALID */
export const resolveQueueOptions = defineOptions<QueueOptions, ResolvedQueueOptions>('bus.queue', queueSchema)

const workSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { concurrency: { type: 'integer', minimum: 1, maximum: 1_000, default: 10 } }
} as const

/** @throws FST_RSP_OPTION_INVALID */
export const resolveWorkOptions = defineOptions<WorkOptions, Required<WorkOptions>>('queue.work', workSchema)
