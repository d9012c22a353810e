import { type Keyspace, type KeyShape, type Link, loadScript } from '@respite/redis'
import { keys } from '../keys.ts'
import { subjectOf } from '../subject.ts'
import type { HitCounter } from './hit-counter.ts'
import type { HitCallback } from './hit-store.ts'
import type { HitRule } from './hits.ts'

const hits = loadScript('ratelimit.hits', new URL('../../lua/hits.lua', import.meta.url))

/** What the counters of one registration share. */
export interface HitServer { readonly link: Link, readonly keyspace: Keyspace }

/** Hits in Redis, a key for each who is counted and each counter. */
export class RedisHits implements HitCounter {
  readonly #server: HitServer
  readonly #shape: KeyShape
  readonly #counter: string

  /** @param counter - names it, in all processes alike */
  constructor (server: HitServer, counter: string) {
    this.#server = server
    this.#shape = server.keyspace.define(keys.hits.template)
    this.#counter = counter
  }

  hit (key: string, rule: HitRule, callback: HitCallback): void {
    this.#ask('hit', key, rule, callback)
  }

  look (key: string, rule: HitRule, callback: HitCallback): void {
    this.#ask('look', key, rule, callback)
  }

  #ask (what: 'hit' | 'look', key: string, { windowMs, max, beyond }: HitRule, callback: HitCallback): void {
    const { link } = this.#server
    const name = this.#shape.key(subjectOf('key', key), this.#counter)
    link.call(hits, [name], [what, windowMs, Math.min(max, Number.MAX_SAFE_INTEGER), beyond], (error, reply) => {
      if (error !== null) {
        callback(error)
        return
      }
      const [current, ttl] = reply as [number, number]
      callback(null, { current: Number(current), ttl: Number(ttl) })
    })
  }
}
