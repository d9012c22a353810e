import { advanceBan, banLifeMs, type BanRule, type BanState, noBan, strike } from '../algorithms/ban.ts'
import { countName } from '../subject.ts'
import { BoundedStates, type Kept } from './bounded-states.ts'
import type { Banned, Check } from './store.ts'

class KeptBan implements Kept {
  readonly state: BanState
  untilMs = Infinity

  constructor (nowMs: number) {
    this.state = noBan(nowMs)
  }

  blocked (nowMs: number): boolean { return this.state.untilMs > nowMs }
}

/** Refusals and bans in this process. */
export class MemoryBans {
  readonly #states: BoundedStates<KeptBan>

  /** @param maxKeys - subjects of all limits together that are kept at most; none that is banned is dropped for another */
  constructor (maxKeys: number) {
    this.#states = new BoundedStates(maxKeys)
  }

  /** What is known of a check that may ban; undefined for one that never does. */
  look (check: Check, nowMs: number): Banned | undefined {
    if (check.ban === undefined) return undefined
    const kept = this.#states.get(nameOf(check), nowMs)
    if (kept === undefined) return { times: 0, waitMs: 0, begunMs: 0 }
    // A copy: a window of refusals begins with a refusal, not with a look.
    const state = { ...kept.state }
    advanceBan(state, check.ban, nowMs)
    return { times: state.bans, waitMs: Math.max(0, state.untilMs - nowMs), begunMs: 0 }
  }

  /** Counts a refusal of somebody who is not banned. */
  strike (check: Check & { ban: BanRule }, nowMs: number): Banned {
    const kept = this.#states.get(nameOf(check), nowMs) ?? new KeptBan(nowMs)
    advanceBan(kept.state, check.ban, nowMs)
    const begunMs = strike(kept.state, check.ban, nowMs)
    kept.untilMs = nowMs + banLifeMs(kept.state, check.ban, nowMs)
    this.#states.set(nameOf(check), kept, nowMs)
    return { times: kept.state.bans, waitMs: begunMs, begunMs }
  }

  delete (check: Pick<Check, 'rule' | 'subject'>): void {
    this.#states.delete(nameOf(check))
  }

  clear (): void {
    this.#states.clear()
  }
}

const nameOf = ({ rule, subject }: Pick<Check, 'rule' | 'subject'>) => countName(rule.name, subject)
