import { systemClock } from '@respite/redis'
import { BoundedStates, type Kept } from '../stores/bounded-states.ts'
import { subjectOf } from '../subject.ts'
import type { HitCounter } from './hit-counter.ts'
import type { HitCallback } from './hit-store.ts'
import { hit, type HitRule, type Hits, look, noHits } from './hits.ts'

const longest = 256

/** The hits of one key. */
class Counted implements Kept {
  readonly hits: Hits = noHits()
  #max = 0

  get untilMs (): number { return this.hits.endsMs }

  hit (rule: HitRule, nowMs: number): number {
    this.#max = rule.max
    return hit(this.hits, rule, nowMs)
  }

  blocked (): boolean { return this.hits.count > this.#max }
}

/**
 * Hits in this process. By the wall clock, unlike our own limits: tests set that, and often no other.
 * A flood of keys drops nobody who is refused.
 */
export class MemoryHits implements HitCounter {
  readonly #states: BoundedStates<Counted>
  /** Of keys that have no place of their own, since all who are kept are refused. */
  #shared = new Counted()

  /** @param maxKeys - keys that are kept at most */
  constructor (maxKeys: number) {
    this.#states = new BoundedStates(maxKeys)
  }

  hit (key: string, rule: HitRule, callback: HitCallback): void {
    const nowMs = systemClock.wallMs()
    const counted = this.#states.get(this.#name(key), nowMs) ?? this.#begin(key, nowMs)
    const leftMs = counted.hit(rule, nowMs)
    callback(null, { current: counted.hits.count, ttl: leftMs })
  }

  look (key: string, _rule: HitRule, callback: HitCallback): void {
    const nowMs = systemClock.wallMs()
    const counted = this.#states.get(this.#name(key), nowMs) ?? (this.#states.hasPlace(nowMs) ? new Counted() : this.#shared)
    const leftMs = look(counted.hits, nowMs)
    callback(null, { current: leftMs === 0 ? 0 : counted.hits.count, ttl: leftMs })
  }

  // Long keys take no more memory than others. The name of one is longer than any key that is its own name.
  #name (key: string): string {
    return key.length > longest ? subjectOf('key', key).padEnd(longest + 1) : key
  }

  #begin (key: string, nowMs: number): Counted {
    const counted = new Counted()
    return this.#states.set(this.#name(key), counted, nowMs) ? counted : this.#shared
  }
}
