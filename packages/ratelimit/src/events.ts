import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { Ask, Ruling } from './limiter.ts'

/** A limit that had no room, for the app's hooks. */
export interface ExceededLimit {
  name: string
  /** The address, the user's public name or the key, as the limit counts it. */
  key: string
  limit: number
  windowMs: number
  /** Until it has room if nobody else comes; Infinity: never. */
  retryAfterMs: number
  /** It had room, but this process is busy. */
  shed?: true
}

/** What `onExceeded` is told. */
export interface Exceeded {
  /** All that had no room. */
  limits: ExceededLimit[]
  /** Nobody was refused: the limit only says what it would do. */
  shadow: boolean
}

/** Told of each refusal, of a request or of a `take`, which has none. What it throws breaks nothing. */
export type OnExceeded = (exceeded: Exceeded, request?: FastifyRequest) => void | Promise<void>

/** What `onBanned` is told. */
export interface BannedCaller {
  /** The limit's name. */
  name: string
  /** As `ExceededLimit` has it. */
  key: string
  /** How long this ban is. */
  banMs: number
  /** Bans so far, this one included. */
  times: number
  /** Nobody was banned: the limit only says what it would do. */
  shadow: boolean
}

/** Told of each ban that begins, by the process whose refusal has begun it. What it throws breaks nothing. */
export type OnBanned = (banned: BannedCaller, request?: FastifyRequest) => void | Promise<void>

/** What a ruling says of those that had no room. */
export function exceededOf (asks: readonly (Ask & { readonly who: string })[], { answers }: Ruling): ExceededLimit[] {
  return asks.flatMap(({ rule: { name, limit, windowMs }, who }, i) => {
    const { waitMs, shed } = answers[i]!
    return waitMs === 0 ? [] : [{ name, key: who, limit, windowMs, retryAfterMs: waitMs, ...(shed && { shed }) }]
  })
}

/** Tells the app's hooks what has happened. */
export class Events {
  readonly #onExceeded: OnExceeded | undefined
  readonly #onBanned: OnBanned | undefined
  readonly #log: Pick<FastifyBaseLogger, 'warn'>

  constructor ({ onExceeded, onBanned }: { onExceeded: OnExceeded | undefined, onBanned: OnBanned | undefined }, log: Pick<FastifyBaseLogger, 'warn'>) {
    this.#onExceeded = onExceeded
    this.#onBanned = onBanned
    this.#log = log
  }

  /** Whether anybody wants to know of refusals. */
  get ofRefusals (): boolean { return this.#onExceeded !== undefined }

  exceeded (exceeded: Exceeded, request?: FastifyRequest): void {
    this.#tell('onExceeded', () => this.#onExceeded?.(exceeded, request))
  }

  /** Tells of the bans that a ruling has begun. */
  bans (asks: readonly (Ask & { readonly who: string })[], { answers }: Ruling, request?: FastifyRequest): void {
    if (this.#onBanned === undefined) return
    asks.forEach(({ rule: { name }, limit: { shadow }, who }, i) => {
      const ban = answers[i]!.ban
      if (ban === undefined || ban.begunMs === 0) return
      this.#tell('onBanned', () => this.#onBanned?.({ name, key: who, banMs: ban.begunMs, times: ban.times, shadow }, request))
    })
  }

  // The request is decided: a hook that fails is told to the log, and to nobody else.
  #tell (hook: string, call: () => void | Promise<void> | undefined): void {
    const failed = (error: unknown) => this.#log.warn({ err: error, hook }, 'a hook of the limits failed')
    try {
      Promise.resolve(call()).catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
