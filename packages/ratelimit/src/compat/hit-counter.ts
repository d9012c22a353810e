import type { HitCallback } from './hit-store.ts'
import type { HitRule } from './hits.ts'

/** How a counter answers; perhaps before the call has returned. */
export type Told = HitCallback

/** Counts the hits of keys. */
export interface HitCounter {
  hit (key: string, rule: HitRule, told: Told): void
  /** Tells the hits and counts none. */
  look (key: string, rule: HitRule, told: Told): void
}
