import { inspect } from 'node:util'
import type { Duration } from '@respite/redis'
import { FST_RSP_CACHE_CALL_OPTION_INVALID } from './errors.ts'
import type { Job } from './job.ts'
import type { ReadOptions } from './read-report.ts'
import { checkedTags } from './tags.ts'
import { ttlMs } from './ttl.ts'

/** How an entry is stored. */
export interface SetOptions {
  /** How long it is fresh. @default the namespace's `ttl` */
  ttl?: Duration
  /** Names under which it can be invalidated together with others: at most 128, of 1 to 1,024 characters. @default none */
  tags?: readonly string[]
}

/** How an entry is found or loaded. */
export interface GetOrSetOptions extends SetOptions, ReadOptions {
  /** Stale while revalidate: how long after its `ttl` an entry may still be answered, while one caller refreshes it. @default 0 */
  swr?: Duration
  /** How long after its `ttl` an entry may still be answered when the factory fails or does not come to an end. @default 0 */
  staleIfError?: Duration
  /** By which part of itself `ttl` is shortened at most, by chance, so that what was stored together does not end together: 0 to 1. @default 0 */
  jitter?: number
  /** How long `null` and `undefined` of the factory are fresh. Without it, `null` is stored as any value, and `undefined` is not. @default none */
  negativeTtl?: Duration
  /** `xfetch`: refreshes before the entry ends, by a chance that grows with what the fill has cost. @default not at all */
  eager?: 'xfetch'
  timeouts?: {
    /** How long a caller waits who could be answered by a stale entry within `staleIfError`; at most a day. @default none */
    soft?: Duration
    /** How long a caller waits at most, and how long the factory may take; then its signal is aborted. At most a day. @default none */
    hard?: Duration
  }
  /** How long Redis may take to answer; then the call goes on without it. At most a day. @default the link's deadline */
  l2Timeout?: Duration
  /** `process`: does not wait for what another process loads, but loads it too, and stores nothing. @default 'fleet' */
  singleFlight?: 'fleet' | 'process'
}

/** How several entries are found or loaded. */
export interface GetOrSetManyOptions<Id> extends GetOrSetOptions {
  /** The key of an id. @default the id as a string */
  key? (id: Id): string
}

/** A timer of Node takes more than 24 days for 1 ms. */
const maxTimeoutMs = 86_400_000

/**
 * A call's options, checked and complete.
 * @throws FST_RSP_CACHE_CALL_OPTION_INVALID, FST_RSP_DURATION_INVALID, FST_RSP_CACHE_TTL_OUT_OF_BOUNDS, and those of tags
 */
export function jobOf ({ key, factory }: Pick<Job, 'key' | 'factory'>, options: GetOrSetOptions, defaultTtlMs: number): Job {
  const { ttl, tags, swr, staleIfError, jitter = 0, negativeTtl, eager, timeouts, l2Timeout, singleFlight = 'fleet' } = options
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1)) throw refused('jitter', 'a number from 0 to 1', jitter)
  if (eager !== undefined && eager !== 'xfetch') throw refused('eager', "'xfetch'", eager)
  if (singleFlight !== 'fleet' && singleFlight !== 'process') throw refused('singleFlight', "'fleet' or 'process'", singleFlight)
  return {
    key,
    factory,
    // A factory without a parameter adds no tags.
    wantsClock: factory.length > 0,
    ttlMs: ttl === undefined ? defaultTtlMs : ttlMs(ttl),
    jitter,
    negativeMs: negativeTtl === undefined ? undefined : ttlMs(negativeTtl, 'negativeTtl'),
    staleMs: windowMs(swr, 'swr'),
    errorMs: windowMs(staleIfError, 'staleIfError'),
    softTimeoutMs: timeoutMs(timeouts?.soft, 'timeouts.soft'),
    hardTimeoutMs: timeoutMs(timeouts?.hard, 'timeouts.hard'),
    l2TimeoutMs: timeoutMs(l2Timeout, 'l2Timeout'),
    early: eager === 'xfetch',
    alone: singleFlight === 'process',
    tags: checkedTags(tags),
    onElsewhere: undefined
  }
}

/** 0, or none: no window. */
function windowMs (window: Duration | undefined, name: string): number {
  return window === undefined || window === 0 ? 0 : ttlMs(window, name)
}

function timeoutMs (timeout: Duration | undefined, name: string): number | undefined {
  if (timeout === undefined) return undefined
  const ms = ttlMs(timeout, name)
  if (ms > maxTimeoutMs) throw refused(name, 'at most a day', timeout)
  return ms
}

function refused (name: string, what: string, value: unknown): Error {
  return new FST_RSP_CACHE_CALL_OPTION_INVALID(name, what, inspect(value, { depth: 0, maxStringLength: 100 }))
}
