import { type KeyShape, type Keyspace, type Link, loadScript, type RedisArg, randomToken, type Script, type ScriptOptions } from '@respite/redis'
import { FST_RSP_SESSION_COPY_FOREIGN, FST_RSP_SESSION_TOO_LARGE } from './errors.ts'
import { flatFields } from './found-session.ts'
import { keys } from './keys.ts'
import type { FlushRequest, UnsavedField } from './stores/flush.ts'
import type { Credential } from './token.ts'

/** The gate as it was before the durable store was asked: nothing may be stored in Redis without it. */
export interface Lease { readonly n: string, readonly g: string }

/** A credential with the Redis keys of its session. */
export interface Held extends Credential {
  readonly gateKey: string
  /** The gate's key and the copy's. */
  readonly keys: readonly [string, string]
  /** Another library chose the id, and may ask for it before it makes it: that it is not known now is not remembered. */
  readonly chosen?: true
}

/** What `read` says. `fields` is flat: name, value, name, value, … */
export type ReadReply = ['HIT', string, string, number, string[]] | ['DEAD'] | ['MISS', string, string]

export type ReadCallback = (error: Error | null, reply?: ReadReply) => void

/** A read that waits for the end of the turn. */
interface Waiting { readonly held: Held, readonly era: string, readonly callback: ReadCallback }

/** What a request changed, and the version it had loaded. */
interface Delta { readonly set: ReadonlyMap<string, string>, readonly deleted: readonly string[], readonly loaded: number }

/** What a copy holds beside lineage and version. */
export interface CopyContent {
  readonly version: number
  readonly ttlMs: number
  /** Flat: name, value, name, value, … */
  readonly fields: readonly string[]
}

const script = (name: string, options: ScriptOptions = {}) =>
  // In a Cluster no MOVED is followed: the era of the node that would answer was not asked.
  loadScript(`session.${name}`, new URL(`../lua/${name}.lua`, import.meta.url), { redirect: 'refuse', ...options })

const scripts = {
  // With the flag it counts as a write, which an isolated primary with min-replicas-to-write refuses.
  read: script('read', { flags: ['allow-oom'] }),
  fill: script('fill'),
  kill: script('kill', { flags: ['allow-oom'] }),
  activate: script('activate'),
  save: script('save'),
  touch: script('touch'),
  rotate: script('rotate'),
  bury: script('bury'),
  keep: script('keep'),
  unsaved: script('unsaved'),
  settle: script('settle')
}

const leaseMs = '10000'
/** Copies that one call reads at most: Redis serves nobody else meanwhile. */
const mostAtOnce = 64
const deadMs = 60_000

/** The copies of sessions in Redis: a script each, and none but a leased fill, activate or rotate creates one. */
export class Copies {
  readonly #link: Link
  readonly #gate: KeyShape
  readonly #copy: KeyShape
  readonly #written: (keys: readonly string[]) => void
  #waiting: Waiting[] = []

  /** @param written - told of all keys that this process has written, or may have, before it goes on */
  constructor (link: Link, keyspace: Keyspace, written: (keys: readonly string[]) => void = () => undefined) {
    this.#link = link
    this.#written = written
    this.#gate = keyspace.define(keys.gate.template)
    this.#copy = keyspace.define(keys.copy.template)
  }

  /** What every key of a gate or a copy begins with. */
  get prefix (): string { return this.#gate.prefix }

  /** The keys of a credential. */
  hold ({ tag, hash }: Credential): Held {
    const gateKey = this.#gate.key(tag)
    return { tag, hash, gateKey, keys: [gateKey, this.#copy.key(tag, hash)] }
  }

  /**
   * Asks for a copy; a request's only command in the common case. The reads of a turn of the event loop are one call; in a Cluster each is its own,
   * since a script must stay in one slot.
   * @returns false if Redis cannot be believed now: the era of its data is not known. The callback is not called then
   */
  read (held: Held, callback: ReadCallback): boolean {
    const era = this.eraOf(held.gateKey)
    if (era === undefined) return false
    if (this.#link.features.cluster) {
      this.#read([{ held, era, callback }])
      return true
    }
    const waiting = this.#waiting.push({ held, era, callback })
    if (waiting === 1) this.#link.soon(() => this.#readAll())
    else if (waiting === mostAtOnce) this.#readAll()
    return true
  }

  /** The era in which Redis may be believed now; undefined: none. */
  eraOf (gateKey: string): string | undefined {
    const { state, features } = this.#link
    if (state !== 'up') return undefined
    // A server that shows no identity of its data (the boot has warned): there is one era.
    return features.era ? this.#link.eraOf(gateKey) : features.server === 'unknown' ? undefined : 'unknown'
  }

  #readAll (): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length > 0) this.#read(waiting)
  }

  #read (waiting: readonly Waiting[]): void {
    const keys: string[] = []
    const args: RedisArg[] = [leaseMs]
    for (const { held, era } of waiting) {
      keys.push(...held.keys)
      args.push(era, randomToken())
    }
    this.#link.call(scripts.read, keys, args, (error, reply) => {
      for (let i = 0; i < waiting.length; i++) {
        const { callback } = waiting[i]!
        if (error === null) answer((reply as (ReadReply | ['ERROR', string])[])[i]!, callback)
        else callback(error)
      }
    })
  }

  /** A lease on a user's gate, or undefined while Redis cannot give one. */
  async lease (tag: string): Promise<Lease | undefined> {
    const gateKey = this.#gate.key(tag)
    const era = this.eraOf(gateKey)
    if (era === undefined) return undefined
    try {
      const [reply] = await this.#link.run(scripts.read, [gateKey], [leaseMs, era, randomToken()]) as [ReadReply | ['ERROR', string]]
      return reply[0] === 'DEAD' || reply[0] === 'ERROR' ? undefined : { n: reply[1], g: reply[2] }
    } catch {
      // No lease: the session is created in the durable store alone, and filled by its first request.
      return undefined
    }
  }

  /** @throws a `LinkError`, as do all that follow */
  fill (held: Held, lease: Lease, { version, ttlMs, fields }: CopyContent): Promise<unknown> {
    return this.#write(scripts.fill, held.keys, [lease.n, lease.g, version, Math.floor(ttlMs), ...fields])
  }

  bury (held: Held): Promise<unknown> {
    return this.#write(scripts.bury, [held.keys[1]], [deadMs])
  }

  /** @param hashes - with whether each is dead, or only not to be kept */
  kill (tag: string, hashes: readonly { readonly hash: string, readonly dead: boolean }[]): Promise<unknown> {
    return this.#write(scripts.kill, this.#keysOf(tag, hashes.map(({ hash }) => hash)), [deadMs, ...hashes.map(({ dead }) => dead ? '1' : '0')])
  }

  /** Ends all copies of a user, known and unknown. */
  dropGate (tag: string): Promise<unknown> {
    const gateKey = this.#gate.key(tag)
    return this.#told([gateKey], this.#link.send('UNLINK', gateKey))
  }

  /** @param hashes - the new one, then the victims */
  activate (tag: string, hashes: readonly [string, ...string[]], lease: Lease | undefined, content: CopyContent): Promise<unknown> {
    const { version, ttlMs, fields } = content
    const args: RedisArg[] = [lease?.n ?? '', lease?.g ?? '', version, Math.floor(ttlMs), deadMs, ...fields]
    return this.#write(scripts.activate, this.#keysOf(tag, hashes), args)
  }

  save (tag: string, hash: string, version: number, delta: { set: ReadonlyMap<string, string>, deleted: readonly string[] }): Promise<unknown> {
    return this.#write(scripts.save, this.#keysOf(tag, [hash]), [version, delta.set.size, ...flatFields(delta.set), ...delta.deleted.map(name => `f:${name}`)])
  }

  /**
   * Saves into the copy alone.
   * @returns how many fields its row does not have now; undefined: there is no copy that may be believed, and nothing was saved
   * @throws FST_RSP_SESSION_TOO_LARGE, a `LinkError`
   */
  async keep ({ tag, hash }: Credential, delta: Delta, { all, maxBytes }: { all: boolean, maxBytes: number }): Promise<number | undefined> {
    const era = this.eraOf(this.#gate.key(tag))
    if (era === undefined) return undefined
    const args: RedisArg[] = [era, maxBytes, all ? '1' : '0', delta.loaded, delta.set.size, ...flatFields(delta.set), ...delta.deleted.map(name => `f:${name}`)]
    const [done, n] = await this.#write(scripts.keep, this.#keysOf(tag, [hash]), args) as [number, number]
    if (done === -1) throw new FST_RSP_SESSION_TOO_LARGE([...delta.set.keys()].join(', ').slice(0, 100), n, maxBytes)
    return done === 1 ? n : undefined
  }

  /** What a copy has and its row may not; undefined: nothing. */
  async unsaved ({ tag, hash }: Credential): Promise<Omit<FlushRequest, 'hash'> & { readonly seq: number } | undefined> {
    const flat = await this.#link.run(scripts.unsaved, [this.#copy.key(tag, hash)], []) as string[]
    if (flat.length === 0) return undefined
    const all = new Map<string, string>()
    for (let i = 0; i < flat.length; i += 2) all.set(flat[i]!, flat[i + 1]!)
    const changes = new Map<string, UnsavedField>()
    let seq = 0
    for (const [field, text] of all) {
      if (!field.startsWith('d:')) continue
      const name = field.slice(2)
      changes.set(name, { seq: Number(text), json: all.get(`f:${name}`) })
      seq = Math.max(seq, Number(text))
    }
    return { copyVersion: Number(all.get('v')), changes, seq }
  }

  /**
   * The row has what the copy had up to `seq`.
   * @returns false if the copy was to go, and has newer changes
   */
  async settle ({ tag, hash }: Credential, { seq, version, drop }: { seq: number, version: number, drop: boolean }): Promise<boolean> {
    return await this.#write(scripts.settle, this.#keysOf(tag, [hash]), [seq, version, drop ? '1' : '0']) === 1
  }

  /** The old copy goes, whatever becomes of the new one. */
  rotate (tag: string, hashes: readonly [old: string, next: string], lease: Lease, { version, ttlMs, fields }: CopyContent): Promise<unknown> {
    return this.#write(scripts.rotate, this.#keysOf(tag, hashes), [lease.n, lease.g, version, Math.floor(ttlMs), ...fields])
  }

  /** @param marks - flat: name, value, … */
  touch (held: Held, ttlMs: number, marks: readonly string[]): Promise<unknown> {
    return this.#write(scripts.touch, held.keys, [Math.floor(ttlMs), ...marks])
  }

  #write (script: Script, keys: readonly string[], args: readonly RedisArg[]): Promise<unknown> {
    return this.#told(keys, this.#link.run(script, keys, args))
  }

  /** Also where it failed: Redis may have done it. */
  async #told (keys: readonly string[], work: Promise<unknown>): Promise<unknown> {
    try {
      return await work
    } finally {
      this.#written(keys)
    }
  }

  #keysOf (tag: string, hashes: readonly string[]): string[] {
    return [this.#gate.key(tag), ...hashes.map(hash => this.#copy.key(tag, hash))]
  }
}

/** What is wrong with one copy is not the others' concern. */
function answer (reply: ReadReply | ['ERROR', string], callback: ReadCallback): void {
  if (reply[0] === 'ERROR') callback(new FST_RSP_SESSION_COPY_FOREIGN(reply[1]))
  else callback(null, reply)
}
