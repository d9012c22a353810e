import { type Link, randomToken } from '@respite/redis'
import { BatchedReads, type BatchCallback } from './batched-reads.ts'
import { scripts } from './copy-scripts.ts'

/** The gate as it was before the durable store was asked: nothing may be stored in Redis without it. */
export interface Lease { readonly n: string, readonly g: string }

/** What `read` says. `fields` is flat: name, value, name, value, … */
export type ReadReply = ['HIT', string, string, number, string[]] | ['DEAD'] | ['MISS', string, string]

export type ReadCallback = BatchCallback<ReadReply>

/** The gate's key and the copy's. */
export type CopyKeys = readonly [gate: string, copy: string]

type ScriptReply = ReadReply | ['ERROR', string]

const leaseMs = '10000'

/** Reads of copies, and leases on gates. */
export class CopyReads {
  readonly #link: Link
  readonly #reads: BatchedReads<ReadReply>

  constructor (link: Link) {
    this.#link = link
    this.#reads = new BatchedReads(link, scripts.read, [leaseMs])
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
    this.#reads.read({ keys, args: [era, randomToken()], callback })
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
}
