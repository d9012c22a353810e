import type { Answers, History, Second } from '../../src/dashboard/frame.ts'
import { whyRefused } from './refused.ts'

/** Who is told what comes. */
export interface StreamListener {
  onHistory (history: History): void
  onSecond (second: Second): void
  onAnswers (answers: Answers): void
  /** The events come. */
  onLive (): void
  /** They do not come any more; it is tried again. */
  onLost (): void
  /** The server has no room for one more who looks on; it is tried again. */
  onCrowded (): void
}

// The server tells something each second: after so many looks, a second apart, without a word between them the connection is dead, whatever it looks like.
// Looks and not time: a page that was itself held up has not heard what came meanwhile.
const maxLooksInSilence = 5
const retryMs = 3_000

/** Follows the events of the server while the page is seen, and comes back whenever they are lost. */
export class Stream {
  readonly #listener: StreamListener
  #source: EventSource | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #looksInSilence = 0
  #live = false
  // What was asked in a turn that is over is answered too late.
  #turn = 0

  constructor (listener: StreamListener) {
    this.#listener = listener
  }

  /** To be called once. */
  start (): void {
    // A browser has six connections to a server over plain http: tabs that nobody sees would take them from those that are seen.
    document.addEventListener('visibilitychange', () => { this.#begin() })
    this.#begin()
  }

  #begin (): void {
    this.#end()
    if (!document.hidden) this.#follow()
  }

  #end (): void {
    this.#turn++
    clearTimeout(this.#timer)
    this.#source?.close()
    this.#source = undefined
    this.#live = false
  }

  #follow (): void {
    const source = this.#source = new EventSource('/dashboard/events')
    const heard = <T>(tell: (data: T) => void) => ({ data }: MessageEvent<string>) => {
      this.#looksInSilence = 0
      this.#live = true
      tell(JSON.parse(data) as T)
      this.#listener.onLive()
    }
    source.addEventListener('history', heard<History>(history => { this.#listener.onHistory(history) }))
    source.addEventListener('second', heard<Second>(second => { this.#listener.onSecond(second) }))
    source.addEventListener('answers', heard<Answers>(answers => { this.#listener.onAnswers(answers) }))
    source.addEventListener('error', () => {
      // A browser comes back by itself from a lost connection, but not from a refusal.
      if (source.readyState === EventSource.CLOSED) this.#refused()
      else this.#listener.onLost()
    })
    this.#looksInSilence = 0
    this.#watch()
  }

  #watch (): void {
    this.#timer = setTimeout(() => {
      if (++this.#looksInSilence > maxLooksInSilence) this.#refused()
      else this.#watch()
    }, 1_000)
  }

  async #refused (): Promise<void> {
    // Who never had them may be one too many: that is asked for first.
    if (this.#live) this.#listener.onLost()
    this.#end()
    const turn = this.#turn
    const why = await whyRefused()
    if (turn !== this.#turn) return
    // The page itself says what to do.
    if (why === 'closed') return location.assign('/dashboard')
    if (why === 'crowded') this.#listener.onCrowded()
    if (why === 'lost') this.#listener.onLost()
    this.#timer = setTimeout(() => { this.#begin() }, retryMs)
  }
}
