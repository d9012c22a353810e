import { type KeyShape, type Keyspace, type Link, loadScript, type RedisArg, type ScriptOptions } from '@respite/redis'
import { BatchedReads } from '../batched-reads.ts'
import { FST_RSP_SESSION_STORE_DOWN } from '../errors.ts'
import { keys } from '../keys.ts'

/** What `read` says of a session; `data` is flat: name, value, … */
export type LedgerRead =
  | ['LIVE', sid: string, user: string, leftMs: number, capped: number, authAgeMs: number, issuedAgeMs: number, data: string[], rememberMs: number, endLeftMs: number]
  | ['NEXT', hash: string] | ['REUSE', sid: string, owner: string] | ['DEAD']

const script = (name: string, options: ScriptOptions = {}) =>
  // In a Cluster no MOVED is followed: the era of the node that would answer was not asked.
  loadScript(`session.redis-only.${name}`, new URL(`../../lua/redis-only/${name}.lua`, import.meta.url), { redirect: 'refuse', ...options })

const scripts = {
  lease: script('lease', { flags: ['no-writes'] }),
  // With the flag it counts as a write, which an isolated primary with min-replicas-to-write refuses.
  read: script('read', { flags: ['allow-oom'] }),
  login: script('login'),
  revoke: script('revoke', { flags: ['allow-oom'] }),
  save: script('save'),
  touch: script('touch'),
  rotate: script('rotate'),
  list: script('list', { flags: ['no-writes'] })
}

/** The scripts of sessions that live in Redis alone. All keys of an owner lie in one slot; its ledger says which of its sessions are alive. */
export class Ledgers {
  readonly #link: Link
  readonly #ledger: KeyShape
  readonly #data: KeyShape
  readonly #place: KeyShape
  readonly #anyEra: boolean
  readonly #reads: BatchedReads<LedgerRead>

  /** @param anyEra - sessions outlast a change of the data set */
  constructor (link: Link, keyspace: Keyspace, { anyEra }: { anyEra: boolean }) {
    this.#link = link
    this.#ledger = keyspace.define(keys.ledger.template)
    this.#data = keyspace.define(keys.data.template)
    this.#place = keyspace.define(keys.place.template)
    this.#anyEra = anyEra
    this.#reads = new BatchedReads(link, scripts.read)
  }

  read (room: string, hash: string): Promise<LedgerRead> {
    const era = this.#eraOf(room, 'find')
    return new Promise((resolve, reject) => this.#reads.read({
      keys: this.#keysOf(room, hash),
      args: [era, hash],
      callback: (error, reply) => error === null ? resolve(reply!) : reject(error)
    }))
  }

  /** The latest time, by Redis' clock, at which what is sent now may run: this process waits longer for it. */
  async lease (room: string): Promise<number> {
    return Number(await this.#run('lease', [this.#ledger.key(room)], [])) + this.#link.deadlineMs
  }

  /** @param hash - of the new session; @param args - of the script, after the era */
  login (room: string, hash: string, args: readonly RedisArg[]): Promise<unknown> {
    return this.#run('login', this.#keysOf(room, hash), [this.#eraOf(room, 'login'), ...args])
  }

  revoke (room: string, { sid = '', except = '' }: { sid?: string | undefined, except?: string | undefined }): Promise<unknown> {
    return this.#run('revoke', [this.#ledger.key(room)], [sid, except])
  }

  save (room: string, hash: string, args: readonly RedisArg[]): Promise<unknown> {
    return this.#run('save', this.#keysOf(room, hash), [this.#eraOf(room, 'save'), hash, ...args])
  }

  touch (room: string, hash: string, idleMs: number): Promise<unknown> {
    return this.#run('touch', this.#keysOf(room, hash), [this.#eraOf(room, 'touch'), hash, idleMs])
  }

  rotate (room: string, [hash, next]: readonly [string, string], times: { readonly untilMs: number, readonly graceMs: number, readonly knownMs: number }): Promise<unknown> {
    const args = [this.#eraOf(room, 'rotate'), times.untilMs, hash, next, times.graceMs, times.knownMs]
    return this.#run('rotate', [...this.#keysOf(room, hash), this.#data.key(room, next)], args)
  }

  list (room: string): Promise<unknown> {
    return this.#run('list', [this.#ledger.key(room)], [this.#eraOf(room, 'list')])
  }

  /** The user's id as the ledger has it; empty for a visitor. */
  async userOf (room: string): Promise<string | undefined> {
    return await this.#link.send('HGET', this.#ledger.key(room), 'u') as string | null ?? undefined
  }

  /** Notes whose a session is, for whoever has only its public id. */
  note (sid: string, owner: string, forMs: number): Promise<unknown> {
    return this.#link.send('SET', this.#place.key(sid), owner, 'PX', forMs)
  }

  async noted (sid: string): Promise<string | undefined> {
    return await this.#link.send('GET', this.#place.key(sid)) as string | null ?? undefined
  }

  /** Frees what sessions that have ended have left; without it, it expires. */
  async clear (room: string, hashes: readonly string[], sids: readonly string[]): Promise<void> {
    if (hashes.length > 0) await this.#link.send('UNLINK', ...hashes.map(hash => this.#data.key(room, hash)))
    for (const sid of sids) await this.#link.send('UNLINK', this.#place.key(sid))
  }

  #run (name: keyof typeof scripts, keys: readonly string[], args: readonly RedisArg[]): Promise<unknown> {
    return this.#link.run(scripts[name], keys, args)
  }

  #keysOf (room: string, hash: string): [string, string] {
    return [this.#ledger.key(room), this.#data.key(room, hash)]
  }

  /** The identity of the data set that serves a room now; undefined where it is not known, or not shown. */
  dataSetOf (room: string): string | undefined {
    return this.#link.eraOf(this.#ledger.key(room))
  }

  /** @throws FST_RSP_SESSION_STORE_DOWN while it is not known whose data set would answer */
  #eraOf (room: string, what: string): string {
    const { features } = this.#link
    // A server that shows no identity of its data (the boot has warned): there is one era.
    const era = this.#anyEra || (!features.era && features.server !== 'unknown') ? '' : this.#link.eraOf(this.#ledger.key(room))
    if (era === undefined) throw new FST_RSP_SESSION_STORE_DOWN(what)
    return era
  }
}
