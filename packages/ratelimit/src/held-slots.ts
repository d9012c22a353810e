import { randomSecret } from '@respite/redis'
import type { Check, LimitStore } from './stores/store.ts'

/** A limit's slot in use by this process. */
export interface HeldSlot extends Check { readonly slot: number }

interface Held {
  readonly check: HeldSlot
  /** Whether nobody will give it back any more, though nobody has. */
  isGone: () => boolean
}

/** A process that falls out once may still renew in time. */
const renewalsWithinExpiry = 3
const numbers = 2 ** 48

/**
 * The slots of concurrency limits that this process holds. It renews them as long as they are held, in the store whatever that has
 * forgotten; so a slot ends with its holder or, if the process is gone, with its expiry.
 */
export class HeldSlots {
  readonly #store: LimitStore
  readonly #local: LimitStore
  readonly #held = new Map<number, Held>()
  /** By expiry. */
  readonly #timers = new Map<number, NodeJS.Timeout>()
  // Of two processes each begins somewhere in 2⁴⁸: they do not meet.
  #last = randomSecret(6).readUIntBE(0, 6)

  /** @param local - what decides while the store is away; the store itself where there is no server */
  constructor ({ store, local }: { store: LimitStore, local: LimitStore }) {
    this.#store = store
    this.#local = local
  }

  get size (): number { return this.#held.size }

  /** How many of them are a limit's. */
  sizeOf (limit: string): number {
    let size = 0
    for (const { check } of this.#held.values()) if (check.rule.name === limit) size++
    return size
  }

  /** Names a slot that is about to be asked for. */
  number (): number {
    this.#last = (this.#last + 1) % numbers
    return this.#last
  }

  hold (check: HeldSlot): void {
    this.#held.set(check.slot, { check, isGone: () => false })
    const { windowMs } = check.rule
    if (this.#timers.has(windowMs)) return
    this.#timers.set(windowMs, setInterval(() => this.#beat(windowMs), Math.ceil(windowMs / renewalsWithinExpiry)).unref())
  }

  /** Asked at each renewal: a slot whose holder is gone is given back then, should no event have told of it. */
  watch (slot: number, isGone: () => boolean): void {
    const held = this.#held.get(slot)
    if (held !== undefined) held.isGone = isGone
  }

  /**
   * Gives a slot back, once: a second time does nothing.
   * @throws a LinkError when the store is away; the slot then ends with its expiry
   */
  async release (slot: number): Promise<void> {
    const held = this.#held.get(slot)
    if (held === undefined) return
    this.#held.delete(slot)
    await this.forget([held.check])
  }

  /** Frees slots that this process does not hold, whether they were charged or not: the answer to their question was lost. */
  async forget (checks: readonly HeldSlot[]): Promise<void> {
    const charges = checks.map(check => ({ ...check, atMs: 0 }))
    await this.#local.refund(charges)
    if (this.#store !== this.#local) await this.#store.refund(charges)
  }

  /** Renews all of them now: the store may have lost them, or have never seen them. */
  renew (): void {
    this.#renew([...this.#held.values()].map(({ check }) => check))
  }

  /** Gives all of them back, as far as the store can be reached. */
  async close (): Promise<void> {
    for (const timer of this.#timers.values()) clearInterval(timer)
    this.#timers.clear()
    await Promise.allSettled([...this.#held.keys()].map(slot => this.release(slot)))
  }

  #beat (windowMs: number): void {
    const mine = [...this.#held.values()].filter(({ check }) => check.rule.windowMs === windowMs)
    if (mine.length === 0) {
      clearInterval(this.#timers.get(windowMs))
      this.#timers.delete(windowMs)
      return
    }
    for (const { check } of mine.filter(held => held.isGone())) this.release(check.slot).catch(leftToExpiry)
    this.#renew(mine.flatMap(({ check }) => this.#held.has(check.slot) ? [check] : []))
  }

  // While the store is away they count where its questions are answered.
  #renew (checks: readonly HeldSlot[]): void {
    if (checks.length > 0) this.#store.renew(checks).catch(() => this.#local.renew(this.#stillHeld(checks)).catch(leftToExpiry))
  }

  #stillHeld (checks: readonly HeldSlot[]): HeldSlot[] {
    return checks.filter(({ slot }) => this.#held.has(slot))
  }
}

// Nobody renews it.
const leftToExpiry = () => undefined
