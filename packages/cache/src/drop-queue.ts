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

interface Waiting { dropper: Dropper, target: Target, settle: (() => void)[], refuse: ((error: Error) => void)[] }

const batch = 64
const retryMs = { first: 50, most: 1_000 }

/**
 * Invalidations that Redis has not acknowledged: one a target, tried again until it has. Too many for one namespace
 * become its clear.
 */
export class DropQueue {
  readonly #parts: DropQueueParts
  readonly #waiting = new Map<string, Waiting>()
  #draining = false
  #timer: NodeJS.Timeout | undefined
  #retryMs = retryMs.first
  #closed = false

  constructor (parts: DropQueueParts) {
    this.#parts = parts
  }

  get size (): number {
    return this.#waiting.size
  }

  /** @returns resolves when Redis has taken it, or what covers it */
  add (dropper: Dropper, target: Target): Promise<void> {
    if (this.#closed) return refused(new FST_RSP_CACHE_QUEUE_LOST(shown(target.name)))
    const settled = new Promise<void>((resolve, reject) => {
      if (target.kind !== 'clear' && this.#waiting.size >= this.#parts.maxQueued) this.#put(dropper, { kind: 'clear', name: '' }, [resolve], [reject])
      else this.#put(dropper, target, [resolve], [reject])
    })
    settled.catch(() => undefined) // whoever asked may not wait for it
    this.#parts.hold(true)
    this.#later()
    return settled
  }

  /** Tries now: Redis may be back. */
  async drain (): Promise<void> {
    if (this.#draining || this.#closed) return
    this.#draining = true
    try {
      while (this.#waiting.size > 0 && await this.#drainSome()) this.#retryMs = retryMs.first
    } finally {
      this.#draining = false
    }
    if (this.#waiting.size === 0) this.#parts.hold(false)
    else this.#later()
  }

  /** The last try; what is left is refused. */
  async close (): Promise<void> {
    clearTimeout(this.#timer)
    await this.drain()
    this.#closed = true
    clearTimeout(this.#timer)
    for (const { target, refuse } of this.#waiting.values()) for (const reject of refuse) reject(new FST_RSP_CACHE_QUEUE_LOST(shown(target.name)))
  }

  #put (dropper: Dropper, target: Target, settle: (() => void)[], refuse: ((error: Error) => void)[]): void {
    const cleared = this.#waiting.get(idOf(dropper, { kind: 'clear', name: '' }))
    const id = cleared !== undefined ? idOf(dropper, cleared.target) : idOf(dropper, target)
    const covered = target.kind === 'clear' ? [...this.#waiting].filter(([, other]) => other.dropper === dropper) : [...this.#waiting].filter(([key]) => key === id)
    for (const [key, other] of covered) {
      this.#waiting.delete(key)
      settle.push(...other.settle)
      refuse.push(...other.refuse)
    }
    // A new object, so that a drain under way, which may have begun before this call, does not settle it.
    this.#waiting.set(id, { dropper, target: cleared?.target ?? target, settle, refuse })
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
        for (const resolve of waiting.settle) resolve()
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

function refused (error: Error): Promise<never> {
  const promise = Promise.reject(error)
  promise.catch(() => undefined) // whoever asked may not wait for it
  return promise
}

const idOf = (dropper: Dropper, target: Target): string => `${target.kind} ${dropper.ns}\n${target.name}`
