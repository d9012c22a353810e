import type { HitCallback } from './hit-store.ts'
import type { HitRule } from './hits.ts'

/** Counts the hits of keys. It may call back before the call has returned. */
export interface HitCounter {
  hit (key: string, rule: HitRule, callback: HitCallback): void
  /** Tells the hits and counts none. */
  look (key: string, rule: HitRule, callback: HitCallback): void
}
