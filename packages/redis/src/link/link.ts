import type { Script } from '../script.ts'
import type { Glob } from '../glob.ts'
import type { Features } from './features.ts'

/** What a command takes: strings, numbers (written in decimal) and bytes. */
export type RedisArg = string | number | Buffer

/**
 * `embedded`: there is no server, by choice. `up`: commands are answered. `degraded`: connected, but the server refuses
 * some of them (loading, read-only, out of memory, no scripts). `down`: no connection, or the breaker is open.
 */
export type LinkState = 'embedded' | 'up' | 'degraded' | 'down'

/** An answer, or the failure of a call: exactly one of the two is there. */
export type LinkCallback = (error: Error | null, reply?: unknown) => void

/** The one guarded way to Redis: every call has a deadline, passes the breaker, and is measured. */
export interface Link {
  /** True where there is no server: nothing can be sent, and plugins take their memory stores. */
  readonly embedded: boolean
  readonly state: LinkState
  /** Why the state is not `up`, in words fit for a log and /health; never a secret. */
  readonly reason: string | undefined
  /** Grows whenever a connection to a server was lost or made: what was learnt before it may no longer hold. */
  readonly generation: number
  /** Grows whenever a Cluster's slot map has changed: a walk over all masters during which it grew may have missed keys. */
  readonly topologyVersion: number
  /** What the server can do, probed once a connection. */
  readonly features: Features
  /** Time a call of this link has, in ms. */
  readonly deadlineMs: number

  /** The same link under another deadline. */
  within (deadlineMs: number): Link

  /**
   * Sends one command; strings answer as strings.
   * @throws a `LinkError`: FST_RSP_REDIS_DOWN, _TIMEOUT, _LOST, _REPLY or _CLOSED
   */
  send (command: string, ...args: RedisArg[]): Promise<unknown>
  /** The same; strings answer as Buffers. */
  sendBytes (command: string, ...args: RedisArg[]): Promise<unknown>
  /**
   * Runs a script by its SHA-1; a server that does not know it is given the source once, for all waiters.
   * @param keys - all of one slot
   */
  run (script: Script, keys: readonly RedisArg[], args: readonly RedisArg[]): Promise<unknown>
  /** `run` without a promise, for what every request does. The callback is never called before `call` has returned. */
  call (script: Script, keys: readonly RedisArg[], args: readonly RedisArg[], callback: LinkCallback): void
  /** Calls `work` at the end of this turn of the event loop: what it sends leaves with what was sent in this turn, where the client allows it. */
  soon (work: () => void): void

  /**
   * Walks the keys that match, over every master. SCAN's promise: a key that is there during the whole walk is seen,
   * perhaps twice. In a Cluster that holds while `topologyVersion` stays what it was before.
   */
  scan (pattern: Glob, onKeys: (keys: string[]) => void | Promise<void>): Promise<void>

  /**
   * The identity of the data set that serves `key`: it changes with a restart or a failover of that master.
   * Undefined while it is not known, as after a lost connection until it was asked again.
   */
  eraOf (key: string): string | undefined

  /** `state` on each change of state, `generation` on each growth. Returns the way to stop listening. */
  on (event: 'state', listener: (state: LinkState, before: LinkState) => void): () => void
  on (event: 'generation', listener: (generation: number) => void): () => void
}
