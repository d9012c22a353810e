import type { Clock } from '@respite/redis'
import { EventBuffer } from '../src/buffer.ts'
import { Calendar, type Keep, sizeMs } from '../src/buckets.ts'
import { Flusher } from '../src/flusher.ts'
import { Identities } from '../src/identity.ts'
import type { TopCapacity, TrackingStore } from '../src/stores/store.ts'
import { Tracking } from '../src/tracking.ts'

/** What a store is made of. */
export interface StoreParts {
  calendar: Calendar
  clock: Clock
  capacity: TopCapacity
  keyId: string
}

/** A clock that stands still until it is told. */
export interface FakeClock extends Clock {
  nowMs: number
}

export const keep: Keep = { minute: 120 * sizeMs.minute, hour: 72 * sizeMs.hour, day: 400 * sizeMs.day }
export const secret = 'the secret of the tests of tracking'
export const start = Date.UTC(2026, 4, 10, 12, 34, 56, 789)

export function fakeClock (nowMs = start): FakeClock {
  const clock = { nowMs, wallMs: () => clock.nowMs, monotonicMs: () => clock.nowMs }
  return clock
}

export function storeParts (clock: Clock, capacity: TopCapacity = { total: 256, bucket: 64 }, zones: string[] = ['UTC']): StoreParts {
  return { calendar: new Calendar(keep, zones), clock, capacity, keyId: new Identities(secret, 'encrypted').keyId }
}

/** One process that tracks: it flushes when it is asked, and when many wait. */
export function assemble (store: TrackingStore, { calendar, clock }: StoreParts, { origin = 'here', maxBuffered = 100_000, flushEveryMs = 60_000, identities = new Identities(secret, 'encrypted') } = {}) {
  const buffer = new EventBuffer(maxBuffered)
  const seen = { events: 0, drops: new Map<string, number>() }
  const onDrop = (events: number, reason: string) => { seen.drops.set(reason, (seen.drops.get(reason) ?? 0) + events) }
  const flusher = new Flusher({ buffer, store, identities, clock, origin, flushEveryMs, onDrop })
  const tracking = new Tracking({ store, buffer, flusher, identities, calendar, clock, maxMetrics: 100, onEvent: () => { seen.events++ }, onDrop })
  return { tracking, flusher, buffer, identities, seen }
}
