import { setTimeout as wait } from 'node:timers/promises'
import type { Node, Subscriber } from '../clients/adapter.ts'
import { within } from '../clients/within.ts'
import { FST_RSP_SUBSCRIBER_LOST } from '../errors.ts'
import { replyOf } from '../link/failures.ts'
import type { RedisArg } from '../link/link.ts'
import { entriesOf, type StreamEntry } from './stream-entry.ts'

/** A stream that is read. */
export interface LaneReader {
  readonly key: string
  /** How many entries it can take now; 0: it is not read. */
  readonly room: number
  /** The id behind which it reads, as the command wants it. */
  readonly after: string
  /**
   * @param after - behind what they were read
   * @returns why it cannot be read on, if so
   */
  receive (entries: readonly StreamEntry[], after: string): Error | undefined
  /** The server answers this key with an error, or it cannot be read on. @returns whether it may be read again at once */
  refused (error: Error): Promise<boolean>
  /** Called after every answer. */
  look (): void
}

/** How a lane reads. */
export interface LaneSettings {
  /** What stands before COUNT. */
  readonly command: readonly RedisArg[]
  /** How long a read waits for something to come. */
  readonly blockMs: number
  /** How late its answer may be. */
  readonly deadlineMs: number
  /** The server refuses what every read needs: told once, until a read is answered or the cause is another. */
  readonly failed?: (error: Error) => void
}

const reconnectAfterMs = 250
/** For so long a key that was refused is left alone. */
const asideMs = 1_000
const readAgainMs = 5
const unblockAgainMs = 5
const ofTheKey = new Set(['WRONGTYPE', 'NOGROUP', 'NOPERM', 'ERR'])

/** One connection that reads streams of one server, all that may stand in one command, and blocks until one has something. */
export class ReadingLane {
  readonly node: Node
  readonly #settings: LaneSettings
  readonly #readers = new Set<LaneReader>()
  readonly #aside = new Set<LaneReader>()
  /** Ends what waits on the connection in use. */
  #round = new AbortController()
  /** Who is being asked for, while a read is under way. */
  #asked: ReadonlySet<LaneReader> | undefined
  #reading: Promise<void> | undefined
  #unblocking = false
  #clientId = 0
  #wake: (() => void) | undefined
  /** What the server last refused it with. */
  #told: string | undefined
  #closed = false

  constructor (node: Node, settings: LaneSettings) {
    this.node = node
    this.#settings = settings
    // What it does is told by what it reads; it ends only with `close`.
    this.#run().catch(() => {})
  }

  get empty (): boolean {
    return this.#readers.size === 0
  }

  add (reader: LaneReader): void {
    this.#readers.add(reader)
    this.wake(reader)
  }

  /** Resolves when nothing more will come for it. */
  async remove (reader: LaneReader): Promise<void> {
    this.#readers.delete(reader)
    if (this.#asked?.has(reader) !== true) return
    this.#unblock()
    await this.#reading
  }

  /** It may be read now, and was not before. */
  wake (reader: LaneReader): void {
    this.#wake?.()
    if (this.#asked?.has(reader) === false && reader.room > 0 && !this.#aside.has(reader)) this.#unblock()
  }

  renew (reason: Error): void {
    this.#round.abort(reason)
  }

  close (): void {
    this.#closed = true
    this.#wake?.()
    this.#round.abort(new FST_RSP_SUBSCRIBER_LOST('closed'))
  }

  async #run (): Promise<void> {
    while (!this.#closed) {
      this.#round = new AbortController()
      const subscriber = this.node.subscriber()
      // Whatever ended it, the next connection goes on behind what was received.
      await this.#serve(subscriber, this.#round).catch(error => this.#tell(error))
      this.#asked = undefined
      // Closing a connection that hangs may hang too; nobody waits for it.
      subscriber.close().catch(() => {})
      if (!this.#closed) await wait(reconnectAfterMs, undefined, { ref: false })
    }
  }

  // A connection that broke is made anew, and the link tells of a server that is gone; what the server says, nobody else hears.
  #tell (error: Error): void {
    const cause = replyOf(error)
    if (cause === undefined || cause === this.#told) return
    this.#told = cause
    this.#settings.failed?.(error)
  }

  async #serve (subscriber: Subscriber, round: AbortController): Promise<void> {
    subscriber.on('lost', () => round.abort(new FST_RSP_SUBSCRIBER_LOST('the connection broke')))
    const { blockMs, deadlineMs } = this.#settings
    this.#clientId = await within(subscriber.clientId(), round.signal, deadlineMs)
    for (;;) {
      round.signal.throwIfAborted()
      const ready = [...this.#readers].filter(reader => reader.room > 0 && !this.#aside.has(reader))
      if (ready.length === 0) {
        await this.#woken(round.signal)
        continue
      }
      this.#asked = new Set(ready)
      const read = this.#read(ready, (args, waitsMs) => within(subscriber.send(String(this.#settings.command[0]), args), round.signal, waitsMs + deadlineMs), blockMs)
      this.#reading = read.then(() => {}, () => {}) // `read` tells
      try {
        await read
      } finally {
        this.#asked = undefined
      }
      this.#told = undefined
      for (const reader of ready) reader.look()
    }
  }

  async #read (wanted: readonly LaneReader[], send: (args: RedisArg[], waitsMs: number) => Promise<unknown>, blockMs: number): Promise<void> {
    // Who had room may have none by now, and to the server COUNT 0 is as many as there are.
    const readers = wanted.filter(({ room }) => room > 0)
    if (readers.length === 0) return
    const afters = readers.map(({ after }) => after)
    const count = Math.min(...readers.map(({ room }) => room))
    const block = blockMs > 0 ? ['BLOCK', blockMs] : []
    try {
      const found = entriesOf(await send([...this.#settings.command.slice(1), 'COUNT', count, ...block, 'STREAMS', ...readers.map(({ key }) => key), ...afters], blockMs))
      readers.forEach((reader, i) => {
        const entries = found.get(reader.key)
        const stuck = entries && reader.receive(entries, afters[i]!)
        if (stuck !== undefined) this.#putAside(reader, stuck)
      })
    } catch (error) {
      // It waited for a stream that was deleted, or on a master that is one no more: the next read, or the end of the connection, says what is so.
      if (replyOf(error as Error) === 'UNBLOCKED') return
      if (!ofTheKey.has(replyOf(error as Error) ?? '')) throw error
      if (readers.length === 1) this.#putAside(readers[0]!, error as Error)
      // One stream that is none must not keep the others from being read.
      else for (const reader of readers) await this.#read([reader], send, 0)
    }
  }

  #putAside (reader: LaneReader, error: Error): void {
    this.#aside.add(reader)
    const back = () => {
      this.#aside.delete(reader)
      this.wake(reader)
    }
    const later = (ms: number) => { setTimeout(back, ms).unref() }
    reader.refused(error).then(atOnce => later(atOnce ? readAgainMs : asideMs), () => later(asideMs))
  }

  async #woken (signal: AbortSignal): Promise<void> {
    await new Promise<void>(resolve => {
      this.#wake = resolve
      signal.addEventListener('abort', resolve as () => void)
    }).finally(() => signal.removeEventListener('abort', this.#wake!))
    this.#wake = undefined
  }

  /** Ends the read that is under way. It may not have reached the server yet, so it is asked until the read is over. */
  #unblock (): void {
    const asked = this.#asked
    if (this.#unblocking || asked === undefined) return
    this.#unblocking = true
    const ask = () => this.node.exec({
      name: 'CLIENT',
      args: ['UNBLOCK', this.#clientId],
      key: undefined,
      bytes: false,
      redirect: 'refuse',
      done: error => {
        if (error === null && this.#asked === asked) setTimeout(ask, unblockAgainMs).unref()
        else if (error === null) this.#unblocked()
        // Not allowed, or not connected: the read ends by itself.
        else this.#unblocking = false
      }
    })
    ask()
  }

  /** Whoever wanted to be read meanwhile was not asked for. */
  #unblocked (): void {
    this.#unblocking = false
    for (const reader of this.#readers) this.wake(reader)
  }
}
