import type { Lease } from './copy-reads.ts'
import type { Credential } from './token.ts'
import { type DeadSession, isLive, type LiveSession } from './stores/store.ts'

/** What a shared read gives. */
export interface Answer {
  readonly found: LiveSession | DeadSession
  /** When the question was sent, by the monotonic clock: what is left is counted from there. */
  readonly sentMs: number
  /** Given to one of those who share, if any of them brought one. */
  readonly lease: Lease | undefined
}

export type AnswerCallback = (error: Error | null, answer?: Answer) => void

interface Round {
  readonly asked: { readonly callback: AnswerCallback, readonly lease: Lease | undefined }[]
  next: Round | undefined
}

/**
 * Reads of the durable store, at most one a session at a time. A read is shared only by those who asked before it was
 * sent: a session that ended in between must not be found by one who came after. A negative answer holds for anyone.
 */
export class SharedReads {
  readonly #find: (credential: Credential) => Promise<LiveSession | DeadSession>
  readonly #nowMs: () => number
  readonly #rounds = new Map<string, Round>()

  constructor (find: (credential: Credential) => Promise<LiveSession | DeadSession>, nowMs: () => number) {
    this.#find = find
    this.#nowMs = nowMs
  }

  /** @param lease - taken before this call, for whoever fills Redis */
  ask (credential: Credential, lease: Lease | undefined, callback: AnswerCallback): void {
    const round = this.#rounds.get(credential.hash)
    if (round === undefined) {
      this.#send(credential, { asked: [{ callback, lease }], next: undefined })
      return
    }
    round.next ??= { asked: [], next: undefined }
    round.next.asked.push({ callback, lease })
  }

  #send (credential: Credential, round: Round): void {
    const { hash } = credential
    const sentMs = this.#nowMs()
    this.#rounds.set(hash, round)
    this.#find(credential).then(found => {
      const later = this.#end(hash, round)
      if (isLive(found)) {
        if (later !== undefined) this.#send(credential, later)
        this.#tell(round, { found, sentMs })
      } else {
        this.#tell(round, { found, sentMs })
        if (later !== undefined) this.#tell(later, { found, sentMs })
      }
    }, (error: Error) => {
      const later = this.#end(hash, round)
      for (const { callback } of [...round.asked, ...later?.asked ?? []]) callback(error)
    })
  }

  #end (hash: string, round: Round): Round | undefined {
    this.#rounds.delete(hash)
    return round.next
  }

  #tell (round: Round, { found, sentMs }: Pick<Answer, 'found' | 'sentMs'>): void {
    // Any lease will do: all were taken before the question was sent. The newest is the likeliest to hold.
    let lease = round.asked.findLast(asker => asker.lease !== undefined)?.lease
    for (const { callback } of round.asked) {
      callback(null, { found, sentMs, lease })
      lease = undefined
    }
  }
}
