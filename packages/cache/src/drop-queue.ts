import { FST_RSP_CACHE_QUEUE_LOST, shown } from './errors.ts'

/** Something to be dropped, in one namespace. */
export interface Target {
  readonly kind: 'key' | 'soft' | 'pattern' | 'tag' | 'clear'
  /** The key, pattern or tag; empty for `clear`. */
  readonly name: string
}

/** Whoever can drop: a namespace. */
export interface Dropper {
  readonly ns: string
  /** @throws a `LinkError` */
  execute (target: Target): Promise<number>
}

/** What a queue works with. */
export interface DropQueueParts {
  readonly maxQueued: number
  /** While something waits, no local copy may be used. */
  hold (held: boolean): void
}

/** What those who asked for one target wait for: one promise, however many they are. */
interface Wish { readonly promise: Promise<void>, resolve (): void, reject (error: Error): void }

interface Waiting { readonly dropper: Dropper, readonly target: Target, readonly wishes: readonly [Wish, ...Wish[]] }

const batch = 64
const retryMs = { first: 50, most: 1_000 }

/**
 * Invalidations that Redis has not acknowledged: one a target, tried again until it has. Too many for one namespace
 * become its clear.
 */
export class DropQueue {
  readonly #parts: DropQueueParts
  readonly #waiting = new Map<string, Waiting>()
  #draining: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #retryMs = retryMs.first
  #closed = false

  constructor (parts: DropQueueParts) {
    this.#parts = parts
  }

  get size (): number {
    return this.#waiting.size
  }

  /** @returns resolves when Redis has taken it, or what covers it; the same promise for all who wait for one target */
  add (dropper: Dropper, target: Target): Promise<void> {
    if (this.#closed) return refused(new FST_RSP_CACHE_QUEUE_LOST(shown(target.name)))
    const tooMany = this.#waiting.size >= this.#parts.maxQueued && target.kind !== 'clear' && !this.#waiting.has(idOf(dropper, target))
    const { promise } = this.#put(dropper, tooMany ? clear : target)
    this.#parts.hold(true)
    this.#later()
    return promise
  }

  /** Tries now: Redis may be back. */
  drain (): Promise<void> {
    if (this.#draining === undefined && !this.#closed) this.#draining = this.#drainAll().finally(() => { this.#draining = undefined })
    return this.#draining ?? Promise.resolve()
  }

  /** The last try; what is left is refused. */
  async close (): Promise<void> {
    clearTimeout(this.#timer)
    await this.drain()
    this.#closed = true
    clearTimeout(this.#timer)
    for (const { target, wishes } of this.#waiting.values()) for (const { reject } of wishes) reject(new FST_RSP_CACHE_QUEUE_LOST(shown(target.name)))
  }

  async #drainAll (): Promise<void> {
    while (this.#waiting.size > 0 && await this.#drainSome()) this.#retryMs = retryMs.first
    if (this.#waiting.size === 0) this.#parts.hold(false)
    else this.#later()
  }

  #put (dropper: Dropper, asked: Target): Wish {
    const cleared = this.#waiting.get(idOf(dropper, clear))
    const target = cleared?.target ?? asked
    const id = idOf(dropper, target)
    const before = this.#waiting.get(id)
    const covered = before === undefined && target.kind === 'clear' ? this.#covered(dropper) : []
    const wishes: Waiting['wishes'] = before?.wishes ?? [newWish(), ...covered]
    // A new object, so that a drain under way, which may have begun before this call, does not settle it; at the end, behind those that wait longer.
    this.#waiting.delete(id)
    this.#waiting.set(id, { dropper, target, wishes })
    return wishes[0]
  }

  /** What a clear of the namespace covers waits for that alone. */
  #covered (dropper: Dropper): Wish[] {
    const covered: Wish[] = []
    for (const [id, { dropper: other, wishes }] of this.#waiting) {
      if (other !== dropper) continue
      this.#waiting.delete(id)
      covered.push(...wishes)
    }
    return covered
  }

  /** @returns whether all that was tried went through */
  async #drainSome (): Promise<boolean> {
    const some = [...this.#waiting].slice(0, batch)
    const gone = await Promise.all(some.map(async ([id, waiting]) => {
      try {
        await waiting.dropper.execute(waiting.target)
      } catch {
        // Not yet: it stays, and is tried again.
        return false
      }
      if (this.#waiting.get(id) === waiting) {
        this.#waiting.delete(id)
        for (const { resolve } of waiting.wishes) resolve()
      }
      return true
    }))
    return gone.every(Boolean)
  }

  #later (): void {
    if (this.#timer !== undefined || this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#retryMs = Math.min(2 * this.#retryMs, retryMs.most)
      this.drain().catch(() => undefined) // drain itself catches what fails
    }, this.#retryMs)
    this.#timer.unref()
  }
}

const clear: Target = { kind: 'clear', name: '' }

/** One promise for several; what is there more than once is waited for once, so that calls of a long outage leave nothing at a promise they share. */
export function allSettled (promises: readonly Promise<void>[]): Promise<void> {
  const [first, ...others] = new Set(promises)
  if (first === undefined) return Promise.resolve()
  if (others.length === 0) return first
  const all = Promise.all([first, ...others]).then(() => undefined)
  all.catch(() => undefined) // the caller may not wait for it
  return all
}

function newWish (): Wish {
  const settle = {} as Omit<Wish, 'promise'>
  const promise = new Promise<void>((resolve, reject) => { Object.assign(settle, { resolve, reject }) })
  promise.catch(() => undefined) // whoever asked may not wait for it
  return { promise, ...settle }
}

function refused (error: Error): Promise<never> {
  const promise = Promise.reject(error)
  promise.catch(() => undefined) // whoever asked may not wait for it
  return promise
}

const idOf = (dropper: Dropper, target: Target): string => `${target.kind} ${dropper.ns}\n${target.name}`
