import { Readable } from 'node:stream'

/** One event for a browser. */
export interface ServerEvent {
  event: string
  data: unknown
  /** Where to go on after a lost connection. */
  id?: string
}

const maxViewers = 20
// A whole history takes a fifth of it: whoever is further behind does not read, and costs no more memory than this.
const maxWaitingBytes = 1_048_576
const retryMs = 2_000

/** The browsers that look on, each by a stream of events. */
export class Viewers {
  /** Until when each may look, in milliseconds since the epoch. */
  readonly #untilMs = new Map<Readable, number>()
  #closed = false

  get size (): number {
    return this.#untilMs.size
  }

  /** Whether there is room for another. */
  get isOpen (): boolean {
    return !this.#closed && this.size < maxViewers
  }

  /** A new viewer, who is told this first. */
  add (first: ServerEvent, untilMs: number): Readable {
    const stream = new Readable({ read () {}, highWaterMark: maxWaitingBytes })
    this.#untilMs.set(stream, untilMs)
    stream.once('close', () => { this.#untilMs.delete(stream) })
    stream.push(`retry: ${retryMs}\n${textOf(first)}`)
    return stream
  }

  /** Tells all; ends those who may look no longer, and those who do not read. */
  tell (event: ServerEvent, nowMs: number): void {
    const text = textOf(event)
    for (const [stream, untilMs] of this.#untilMs) {
      if (untilMs <= nowMs) this.#end(stream)
      else if (!stream.push(text)) stream.destroy()
    }
  }

  /** Ends all, and takes no more. */
  close (): void {
    this.#closed = true
    for (const stream of this.#untilMs.keys()) this.#end(stream)
  }

  #end (stream: Readable): void {
    this.#untilMs.delete(stream)
    stream.push(null)
  }
}

// JSON has no line breaks outside of strings, and escapes those within: one line of data is enough.
function textOf ({ event, data, id }: ServerEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
