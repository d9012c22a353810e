import type { FastifyBaseLogger } from 'fastify'
import { EventEmitter } from 'node:events'
import type { LinkState } from './link.ts'

/** What the state is, since when and why; says so in the log once when Redis goes and once when it is back. */
export class LinkStatus {
  readonly #log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'debug'>
  readonly #events = new EventEmitter().setMaxListeners(0)
  #told: 'up' | 'lost' | undefined
  state: LinkState = 'down'
  reason: string | undefined = 'not connected yet'
  generation = 0

  constructor (log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'debug'>) {
    this.#log = log
  }

  /** @param server - such as `redis 7.0.15`, for the log */
  become (state: LinkState, reason: string | undefined, server: string): void {
    const before = this.state
    const known = before === state && this.reason === reason
    this.state = state
    this.reason = reason
    if (!known) this.#tell(state, reason, server)
    if (before !== state) this.#events.emit('state', state, before)
  }

  /** A connection was lost or made. */
  grow (): void {
    this.generation++
    this.#events.emit('generation', this.generation)
  }

  on (event: 'state' | 'generation', listener: (...args: never[]) => void): () => void {
    const heard = listener as () => void
    this.#events.on(event, heard)
    return () => { this.#events.off(event, heard) }
  }

  #tell (state: LinkState, reason: string | undefined, server: string): void {
    const told = state === 'up' ? 'up' : 'lost'
    if (told === this.#told) {
      this.#log.debug({ state, reason }, 'Redis is still not what it should be')
      return
    }
    const first = this.#told === undefined
    this.#told = told
    if (told === 'up') this.#log.info({ server }, first ? 'Redis is up' : 'Redis is back')
    else this.#log.warn({ reason }, state === 'down' ? 'Redis is down' : 'Redis is degraded')
  }
}
