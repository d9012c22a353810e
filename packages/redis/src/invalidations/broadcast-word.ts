import type { Adapter } from '../clients/adapter.ts'
import type { WatchTiming } from '../clients/watched-subscriber.ts'
import { FST_RSP_SUBSCRIBER_LOST } from '../errors.ts'
import { TrackedNode } from './tracked-node.ts'
import type { Word, WordBearer } from './word.ts'

interface Tracked { node: TrackedNode, untilMs: number }

/** The server's own word: every master tells of every change under the prefixes, whoever made it. */
export class BroadcastWord implements WordBearer {
  readonly means = 'broadcast'
  readonly #adapter: Adapter
  readonly #word: Word
  readonly #timing: WatchTiming
  readonly #prefixes: () => readonly string[]
  readonly #nodes = new Map<string, Tracked>()
  #closed = false

  constructor (adapter: Adapter, word: Word, { prefixes, timing }: { prefixes: () => readonly string[], timing: WatchTiming }) {
    this.#adapter = adapter
    this.#word = word
    this.#prefixes = prefixes
    this.#timing = timing
    adapter.on('ready', () => this.#place())
    adapter.on('topology', () => this.#place())
    // Tracking is armed on a connection of the adapter and ends with it.
    adapter.on('lost', () => this.#renewAll('the connection broke'))
    this.#place()
  }

  prefixesGrew (): void {
    this.#renewAll('a prefix was added')
    this.#place()
  }

  // The server tells us of our own changes as it does of others'.
  tell (): void {}

  async close (): Promise<void> {
    this.#closed = true
    await Promise.all(Array.from(this.#nodes.values(), ({ node }) => node.close()))
    this.#nodes.clear()
  }

  /** One pair of connections for every master there is now. */
  #place (): void {
    if (this.#closed || this.#prefixes().length === 0) return
    const masters = this.#adapter.masters()
    for (const [name, { node }] of this.#nodes) {
      if (masters.some(master => master.name === name)) continue
      this.#nodes.delete(name)
      node.close().catch(() => {}) // a server that has left need not be told
      this.#word.lost(new FST_RSP_SUBSCRIBER_LOST('a master has left'))
    }
    for (const master of masters) if (!this.#nodes.has(master.name)) this.#track(master)
    this.#say()
  }

  #track (master: ReturnType<Adapter['masters']>[number]): void {
    this.#word.lost(new FST_RSP_SUBSCRIBER_LOST('a master was added'))
    const tracked: Tracked = {
      untilMs: -1,
      node: new TrackedNode(master, {
        prefixes: this.#prefixes,
        timing: this.#timing,
        events: {
          pushed: keys => { if (keys === null) this.#word.changedAll(); else this.#word.changed(keys) },
          sure: untilMs => {
            tracked.untilMs = untilMs
            this.#say()
          },
          lost: reason => {
            tracked.untilMs = -1
            this.#word.lost(reason)
          }
        }
      })
    }
    this.#nodes.set(master.name, tracked)
  }

  #renewAll (why: string): void {
    const reason = new FST_RSP_SUBSCRIBER_LOST(why)
    this.#word.lost(reason)
    for (const tracked of this.#nodes.values()) {
      tracked.untilMs = -1
      tracked.node.renew(reason)
    }
  }

  // As sure as the least sure of the masters.
  #say (): void {
    const untilMs = Math.min(...Array.from(this.#nodes.values(), tracked => tracked.untilMs))
    if (this.#nodes.size > 0 && untilMs >= 0) this.#word.sure(untilMs)
  }
}
