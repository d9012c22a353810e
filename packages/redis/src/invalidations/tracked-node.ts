import type { RedisArg } from '../link/link.ts'
import type { Node, Subscriber } from '../clients/adapter.ts'
import { FST_RSP_SUBSCRIBER_LOST } from '../errors.ts'
import { saysReplica } from '../link/probe.ts'
import { WatchedSubscriber, type WatchTiming } from '../clients/watched-subscriber.ts'

const channel = '__redis__:invalidate'

/** What a tracked master tells. */
export interface TrackedNodeEvents {
  /** Keys that are not what they were; null for all. */
  pushed (keys: readonly string[] | null): void
  /** Armed, and sure until then (monotonic ms). */
  sure (untilMs: number): void
  lost (reason: Error): void
}

/**
 * One master that says when keys change: CLIENT TRACKING is armed on the connection that asks, and redirected to a
 * connection of its own. Either end may break alone, and the server tells of neither, so both are asked at each heartbeat.
 * @see https://redis.io/docs/latest/develop/reference/client-side-caching/
 */
export class TrackedNode {
  readonly #node: Node
  readonly #prefixes: () => readonly string[]
  readonly #watched: WatchedSubscriber
  #redirect = -1

  constructor (node: Node, { prefixes, events, timing }: { prefixes: () => readonly string[], events: TrackedNodeEvents, timing: WatchTiming }) {
    this.#node = node
    this.#prefixes = prefixes
    this.#watched = new WatchedSubscriber(node, {
      open: subscriber => this.#arm(subscriber, events),
      check: async () => { await Promise.all([this.#check(), this.#mustBeMaster()]) },
      live: events.sure,
      lost: events.lost
    }, timing)
  }

  /** Arms anew: with other prefixes, or on another connection. */
  renew (reason: Error): void {
    this.#watched.renew(reason)
  }

  /** Ends tracking where that can still be said. */
  async close (): Promise<void> {
    await this.#watched.close()
    this.#send('CLIENT', 'TRACKING', 'OFF').catch(() => {}) // a connection that is gone tracks nothing
  }

  async #arm (subscriber: Subscriber, events: TrackedNodeEvents): Promise<void> {
    const id = await subscriber.clientId()
    await subscriber.subscribe(channel, keys => {
      if (Array.isArray(keys)) events.pushed(keys.map(String))
      else if (keys === null) events.pushed(null)
    })
    const prefixes = this.#prefixes().flatMap(prefix => ['PREFIX', prefix])
    // Off first: prefixes of an earlier arming would stay, and overlapping ones are refused.
    await Promise.all([
      this.#send('CLIENT', 'TRACKING', 'OFF'),
      this.#send('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...prefixes)
    ])
    this.#redirect = id
    await this.#mustBeMaster()
  }

  // The asking connection may have been made anew (tracking is then off), or the other one has died (broken_redirect).
  async #check (): Promise<void> {
    const info = pairs(await this.#send('CLIENT', 'TRACKINGINFO'))
    const flags = [info.get('flags')].flat().map(String)
    if (!flags.includes('bcast') || flags.includes('broken_redirect') || Number(info.get('redirect')) !== this.#redirect) {
      throw new FST_RSP_SUBSCRIBER_LOST(`tracking is ${flags.join(', ')}`)
    }
  }

  // A replica tells of what has reached it, which may be long after its master has acknowledged it.
  async #mustBeMaster (): Promise<void> {
    if (saysReplica(await this.#send('INFO', 'replication'))) throw new FST_RSP_SUBSCRIBER_LOST('the server is a replica')
  }

  #send (name: string, ...args: RedisArg[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#node.exec({ name, args, key: undefined, bytes: false, redirect: 'refuse', done: (error, reply) => error === null ? resolve(reply) : reject(error) })
    })
  }
}

// RESP2 answers a flat array; RESP3 a map, which clients show as an object or a Map.
function pairs (reply: unknown): Map<string, unknown> {
  if (reply instanceof Map) return reply
  if (!Array.isArray(reply)) return new Map(Object.entries(reply as object))
  return new Map(Array.from({ length: reply.length / 2 }, (_, i) => [String(reply[2 * i]), reply[2 * i + 1]]))
}
