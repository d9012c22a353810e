import { LRUCache } from 'lru-cache'
import type { Chance } from '../random.ts'
import type { Clock } from '../clock.ts'
import type { PlainBus } from './bus.ts'

/** Where instances say that they are there. Topics that begin with `respite:` are ours. */
export const instancesTopic = 'respite:instances'

const beatEveryMs = 20_000
const heardWithinMs = 60_000
const answerWithinMs = 500
const mostRemembered = 10_000

/** An instance has come, is there, or goes. */
type Presence = 'hello' | 'here' | 'bye'

/**
 * Counts the instances of the app by what is heard of them. While this instance hears nothing itself, nobody grows older:
 * an outage does not make it think that it is alone.
 */
export class Instances {
  readonly #heardMs = new LRUCache<string, number>({ max: mostRemembered })
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #say: (what: Presence) => void
  #deafSinceMs: number | undefined
  #beat: NodeJS.Timeout | undefined
  #answer: NodeJS.Timeout | undefined

  constructor ({ clock, chance, say }: { clock: Clock, chance: Chance, say: (what: Presence) => void }) {
    this.#clock = clock
    this.#chance = chance
    this.#say = say
    this.#deafSinceMs = clock.monotonicMs()
  }

  /** This one included. */
  get count (): number {
    const nowMs = this.#deafSinceMs ?? this.#clock.monotonicMs()
    let count = 1
    for (const heardMs of this.#heardMs.values()) if (nowMs - heardMs <= heardWithinMs) count++
    return count
  }

  async start (bus: PlainBus): Promise<void> {
    this.#beat = setInterval(() => this.#say('here'), beatEveryMs).unref()
    await bus.subscribe(instancesTopic, (what, { origin }) => {
      if (what === 'bye') this.#heardMs.delete(origin)
      else if (what === 'hello') this.#answerSoon()
    })
  }

  /** A message of another instance came. */
  heard (origin: string): void {
    this.#heardMs.set(origin, this.#clock.monotonicMs())
  }

  /** Messages reach this instance from now on. */
  listening (): void {
    if (this.#deafSinceMs === undefined) return
    const deafMs = this.#clock.monotonicMs() - this.#deafSinceMs
    this.#deafSinceMs = undefined
    for (const [origin, heardMs] of [...this.#heardMs.entries()]) this.#heardMs.set(origin, heardMs + deafMs)
    this.#say('hello')
  }

  deaf (): void {
    this.#deafSinceMs ??= this.#clock.monotonicMs()
  }

  stop (): void {
    clearInterval(this.#beat)
    clearTimeout(this.#answer)
    this.#say('bye')
  }

  // One answer to all who have just said hello, and not all of us at once.
  #answerSoon (): void {
    this.#answer ??= setTimeout(() => {
      this.#answer = undefined
      this.#say('here')
    }, this.#chance() * answerWithinMs).unref()
  }
}
