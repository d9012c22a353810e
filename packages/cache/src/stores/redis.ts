import { type Clock, type Link, type Script, randomToken, wild } from '@respite/redis'
import type { Places } from '../keys.ts'
import type { Pattern } from '../pattern.ts'
import { scripts } from './scripts.ts'
import { SharedQuestions } from './shared-questions.ts'
import { type Entry, type Question, type Reply, type Store, type Tick, type Versions, markMs, nsMs, tagMs } from './store.ts'

const dayMs = 86_400_000

/** A namespace's entries in Redis. */
export class RedisStore implements Store {
  readonly #link: Link
  readonly #places: Places
  readonly #clock: Clock
  readonly #shared = new SharedQuestions()
  /** Until when the namespace's record is there at the least, by this process' own clock. */
  #nsUntil = 0

  constructor (link: Link, places: Places, clock: Clock) {
    this.#link = link
    this.#places = places
    this.#clock = clock
  }

  async read ({ key, tags, lease }: Question): Promise<Reply> {
    const val = this.#places.val(key)
    const link = this.#within(lease?.withinMs)
    const [reply, ns, nonces, clock] = await Promise.all([
      lease === undefined
        ? link.run(scripts.peek, [val], [])
        : link.run(scripts.acquire, [val, this.#places.lease(key)], [lease.token, lease.leaseMs, lease.except === '' ? '' : Buffer.from(lease.except, 'base64url'), lease.waited]),
      this.#shared.ask(`ns ${lease?.withinMs}`, () => link.send('GET', this.#places.nsKey)),
      tags.length === 0 ? undefined : this.versions(tags, lease?.withinMs),
      lease?.clock === true ? this.clock(lease.withinMs) : undefined
    ])
    return toReply(reply as unknown[], { ns: ns as string | null, tags: nonces ?? new Map(), ...(clock === undefined ? {} : { clock }) })
  }

  async versions (tags: readonly string[], withinMs?: number): Promise<Map<string, string | null>> {
    const link = this.#within(withinMs)
    const nonces = await Promise.all(tags.map(tag => this.#shared.ask(`tag ${withinMs} ${tag}`, () => link.send('HGET', this.#places.tag(tag), 'nonce'))))
    return new Map(tags.map((tag, i) => [tag, nonces[i] as string | null]))
  }

  async tag (tag: string): Promise<Tick & { nonce: string } | null> {
    const [nonce, g, s] = await this.#link.send('HMGET', this.#places.tag(tag), 'nonce', 'g', 's') as (string | null)[]
    return nonce === null || nonce === undefined ? null : { nonce, g: g ?? '!', s: Number(s) }
  }

  async clock (withinMs?: number): Promise<Tick> {
    const [g, s] = await this.#shared.ask(`clock ${withinMs}`, () => this.#within(withinMs).run(scripts.clock, [this.#places.clkKey], [randomToken(), nsMs])) as [string, number]
    return { g, s }
  }

  async vouch (tag: string, nonce: string, { g, s }: Tick): Promise<void> {
    await this.#run(scripts.vouch, [this.#places.tag(tag)], nonce, g, s)
  }

  async mint (tags: readonly string[], ns: boolean, withinMs?: number): Promise<Versions> {
    const link = this.#within(withinMs)
    const [nsNonce, nonces] = await Promise.all([
      ns ? this.#shared.ask(`found ${withinMs}`, () => link.run(scripts.found, [this.#places.nsKey], [randomToken(), nsMs])) : null,
      Promise.all(tags.map(tag => this.#shared.ask(`mint ${withinMs} ${tag}`, () => link.run(scripts.mint, [this.#places.tag(tag)], [randomToken(), tagMs]))))
    ])
    return { ns: nsNonce as string | null, tags: new Map(tags.map((tag, i) => [tag, nonces[i] as string])) }
  }

  async fill (key: string, token: string, { record, softMs, hardMs, onRefuse = 'leave', withinMs }: Entry): Promise<boolean> {
    return await this.#within(withinMs).run(scripts.fill, this.#both(key), [token, record, softMs, hardMs, onRefuse]) === 1
  }

  async done (key: string, token: string, how: 'F' | 'S' | '-'): Promise<void> {
    await this.#run(scripts.done, [this.#places.lease(key)], token, how, markMs)
  }

  async open (key: string, token: string, leaseMs: number): Promise<void> {
    await this.#run(scripts.open, [this.#places.lease(key)], token, leaseMs)
  }

  async put (key: string, { record, softMs, hardMs }: Entry): Promise<void> {
    await this.#run(scripts.put, this.#both(key), record, softMs, hardMs)
  }

  async drop (key: string): Promise<number> {
    return await this.#run(scripts.drop, this.#both(key)) as number
  }

  async discard (key: string, id: string): Promise<void> {
    await this.#run(scripts.discard, [this.#places.val(key)], Buffer.from(id, 'base64url'))
  }

  async soften (key: string): Promise<number> {
    return await this.#run(scripts.soften, this.#both(key)) as number
  }

  async bump (tag: string): Promise<void> {
    // First the clock, then the tag: a bump that is seen has ticked.
    const [g, s] = await this.#run(scripts.tick, [this.#places.clkKey], randomToken(), nsMs) as [string, number]
    await this.#run(scripts.bump, [this.#places.tag(tag)], randomToken(), g, s, tagMs)
  }

  async keep (tags: readonly string[], hardMs: number): Promise<void> {
    const leastMs = hardMs + dayMs
    await Promise.all([
      ...tags.map(tag => this.#keep(this.#places.tag(tag), leastMs, Math.max(tagMs, 2 * hardMs))),
      this.#clock.monotonicMs() + leastMs > this.#nsUntil ? this.#keepNs(leastMs) : undefined
    ])
  }

  /** Asked for far more than is needed, so that it is seldom asked for. */
  async #keepNs (leastMs: number): Promise<void> {
    const ms = Math.max(leastMs, 30 * dayMs)
    this.#nsUntil = this.#clock.monotonicMs() + ms
    try {
      await this.#keep(this.#places.nsKey, ms, Math.max(nsMs, 2 * ms))
    } catch (error) {
      this.#nsUntil = 0
      throw error
    }
  }

  #keep (place: string, leastMs: number, mostMs: number): Promise<unknown> {
    return this.#shared.ask(`keep ${leastMs} ${place}`, () => this.#run(scripts.keep, [place], leastMs, mostMs))
  }

  async clear (): Promise<void> {
    await this.#link.send('SET', this.#places.nsKey, randomToken(), 'PX', nsMs)
  }

  async dropPattern (pattern: Pattern): Promise<number> {
    const { shapes, ns } = this.#places
    let dropped = 0
    for (let before: unknown, after: unknown = this.#link.topologyVersion; before !== after;) {
      before = after
      for (const shape of [shapes.lease, shapes.val]) {
        await this.#link.scan(shape.glob(ns, wild(pattern.text)), async found => {
          const keys = found.map(key => shape.parts(key)?.[1]).filter(key => key !== undefined && pattern.test(key)) as string[]
          for (const count of await Promise.all(keys.map(key => this.drop(key)))) dropped += count
        })
      }
      // Slots that moved meanwhile may have been passed over.
      after = this.#link.topologyVersion
    }
    return dropped
  }

  #within (ms: number | undefined): Link {
    return ms === undefined ? this.#link : this.#link.within(ms)
  }

  #both (key: string): string[] {
    return [this.#places.val(key), this.#places.lease(key)]
  }

  #run (script: Script, keys: string[], ...args: (string | number | Buffer)[]): Promise<unknown> {
    return this.#link.run(script, keys, args)
  }
}

function toReply ([state, lease = '', third = 0, record, past = 0]: unknown[], versions: Versions): Reply {
  const waiting = String(lease) === 'WAIT'
  return {
    state: String(state) as Reply['state'],
    lease: String(lease) as Reply['lease'],
    holder: waiting ? String(third) : '',
    leftMs: waiting ? 0 : Number(third),
    pastMs: Number(past),
    record: record === undefined || (record as Buffer).length === 0 ? undefined : record as Buffer,
    versions
  }
}
