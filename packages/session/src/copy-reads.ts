import { type Link, type RedisArg, randomToken } from '@respite/redis'
import { scripts } from './copy-scripts.ts'
import { FST_RSP_SESSION_COPY_FOREIGN } from './errors.ts'

/** The gate as it was before the durable store was asked: nothing may be stored in Redis without it. */
export interface Lease { readonly n: string, readonly g: string }

/** What `read` says. `fields` is flat: name, value, name, value, … */
export type ReadReply = ['HIT', string, string, number, string[]] | ['DEAD'] | ['MISS', string, string]

export type ReadCallback = (error: Error | null, reply?: ReadReply) => void

/** The gate's key and the copy's. */
export type CopyKeys = readonly [gate: string, copy: string]

type ScriptReply = ReadReply | ['ERROR', string]

/** A read that waits for the end of the turn. */
interface Waiting { readonly keys: CopyKeys, readonly era: string, readonly callback: ReadCallback }

const leaseMs = '10000'
/** Copies that one call reads at most: Redis serves nobody else meanwhile. */
const maxBatch = 64

/** Reads of copies, and leases on gates. The reads of a turn of the event loop are one call; in a Cluster each is its own, since a script must stay in one slot. */
export class CopyReads {
  readonly #link: Link
  #waiting: Waiting[] = []

  constructor (link: Link) {
    this.#link = link
  }

  /** The era in which Redis may be believed now; undefined: none. */
  eraOf (gateKey: string): string | undefined {
    const { state, features } = this.#link
    if (state !== 'up') return undefined
    // A server that shows no identity of its data (the boot has warned): there is one era.
    return features.era ? this.#link.eraOf(gateKey) : features.server === 'unknown' ? undefined : 'unknown'
  }

  /** @returns false if the era is not known; the callback is not called then */
  read (keys: CopyKeys, callback: ReadCallback): boolean {
    const era = this.eraOf(keys[0])
    if (era === undefined) return false
    if (this.#link.features.cluster) {
      this.#read([{ keys, era, callback }])
      return true
    }
    const waiting = this.#waiting.push({ keys, era, callback })
    if (waiting === 1) this.#link.soon(() => this.#readAll())
    else if (waiting === maxBatch) this.#readAll()
    return true
  }

  /** A lease on a gate, or undefined while Redis cannot give one. */
  async lease (gateKey: string): Promise<Lease | undefined> {
    const era = this.eraOf(gateKey)
    if (era === undefined) return undefined
    try {
      const [reply] = await this.#link.run(scripts.read, [gateKey], [leaseMs, era, randomToken()]) as [ScriptReply]
      return reply[0] === 'DEAD' || reply[0] === 'ERROR' ? undefined : { n: reply[1], g: reply[2] }
    } catch {
      // No lease: the session is created in the durable store alone, and filled by its first request.
      return undefined
    }
  }

  #readAll (): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length > 0) this.#read(waiting)
  }

  #read (waiting: readonly Waiting[]): void {
    const keys: string[] = []
    const args: RedisArg[] = [leaseMs]
    for (const { keys: [gate, copy], era } of waiting) {
      keys.push(gate, copy)
      args.push(era, randomToken())
    }
    this.#link.call(scripts.read, keys, args, (error, reply) => {
      for (let i = 0; i < waiting.length; i++) {
        const { callback } = waiting[i]!
        if (error === null) answer((reply as ScriptReply[])[i]!, callback)
        else callback(error)
      }
    })
  }
}

/** What is wrong with one copy is not the others' concern. */
function answer (reply: ScriptReply, callback: ReadCallback): void {
  if (reply[0] === 'ERROR') callback(new FST_RSP_SESSION_COPY_FOREIGN(reply[1]))
  else callback(null, reply)
}
