import type { Link, RedisArg, Script } from '@respite/redis'
import { FST_RSP_SESSION_COPY_FOREIGN } from './errors.ts'

/** Told what the script says of one session, or what is wrong with it. */
export type BatchCallback<Reply> = (error: Error | null, reply?: Reply) => void

/** One session to read. */
export interface OneRead<Reply> {
  /** All of one slot. */
  readonly keys: readonly string[]
  readonly args: readonly RedisArg[]
  readonly callback: BatchCallback<Reply>
}

/** Sessions that one call reads at most: Redis serves nobody else meanwhile. */
const maxBatch = 64

/** The reads of a turn of the event loop are one call of a script that takes many; in a Cluster each is its own, since a script must stay in one slot. */
export class BatchedReads<Reply extends readonly unknown[]> {
  readonly #link: Link
  readonly #script: Script
  readonly #firstArgs: readonly RedisArg[]
  #waiting: OneRead<Reply>[] = []

  /**
   * @param script - answers a list: of each read its reply, or `['ERROR', what]`
   * @param firstArgs - what the script takes once, before the arguments of each read
   */
  constructor (link: Link, script: Script, firstArgs: readonly RedisArg[] = []) {
    this.#link = link
    this.#script = script
    this.#firstArgs = firstArgs
  }

  read (one: OneRead<Reply>): void {
    if (this.#link.features.cluster) return this.#send([one])
    const waiting = this.#waiting.push(one)
    if (waiting === 1) this.#link.soon(() => this.#sendAll())
    else if (waiting === maxBatch) this.#sendAll()
  }

  #sendAll (): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length > 0) this.#send(waiting)
  }

  #send (reads: readonly OneRead<Reply>[]): void {
    const keys: string[] = []
    const args: RedisArg[] = [...this.#firstArgs]
    for (const one of reads) {
      keys.push(...one.keys)
      args.push(...one.args)
    }
    this.#link.call(this.#script, keys, args, (error, replies) => {
      for (let i = 0; i < reads.length; i++) {
        const { callback } = reads[i]!
        if (error === null) answer((replies as (Reply | ['ERROR', string])[])[i]!, callback)
        else callback(error)
      }
    })
  }
}

/** What is wrong with one session is not the others' concern. */
function answer<Reply extends readonly unknown[]> (reply: Reply | ['ERROR', string], callback: BatchCallback<Reply>): void {
  if (reply[0] === 'ERROR') callback(new FST_RSP_SESSION_COPY_FOREIGN(reply[1] as string))
  else callback(null, reply as Reply)
}
