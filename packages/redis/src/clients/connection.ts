import { EventEmitter } from 'node:events'
import { FST_RSP_REDIS_DOWN } from '../errors.ts'
import type { Command, Subscriber } from './adapter.ts'

/** One connection to one server, that is made anew whenever it breaks. */
export interface Connection {
  /** `host:port`, or the path of a Unix socket. */
  readonly name: string
  /** Whether a command can be sent now. */
  readonly ready: boolean
  /** Why it is not ready; undefined when it is, or was never tried. */
  readonly lastError: Error | undefined
  /** Sends; what is sent in one turn of the event loop leaves in one write. Not ready: `done` gets FST_RSP_REDIS_DOWN at once. */
  exec (command: Command): void
  /** Calls at the end of this turn of the event loop, where it can before what was sent in it leaves. */
  soon (work: () => void): void
  subscriber (): Subscriber
  /** `failed`: it could not be made, and will be tried again. */
  on (event: 'ready' | 'lost' | 'failed', listener: () => void): void
  connect (): void
  close (): Promise<void>
}

/** Says of a command that it was certainly not sent. */
export function refuse (command: Command): void {
  command.done(new FST_RSP_REDIS_DOWN(command.name), undefined)
}

/** What every connection knows of itself: whether it is ready, and why not. */
export class ConnectionState {
  readonly #events = new EventEmitter().setMaxListeners(0)
  ready = false
  lastError: Error | undefined

  on (event: 'ready' | 'lost' | 'failed', listener: () => void): void {
    this.#events.on(event, listener)
  }

  become (ready: boolean): void {
    if (ready) this.lastError = undefined
    if (ready === this.ready) return
    this.ready = ready
    this.#events.emit(ready ? 'ready' : 'lost')
  }

  failed (error: Error): void {
    this.lastError = error
    if (!this.ready) this.#events.emit('failed')
  }
}
