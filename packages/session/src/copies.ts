import type { KeyShape, Keyspace, Link, RedisArg, Script } from '@respite/redis'
import { type CopyKeys, CopyReads, type Lease, type ReadCallback } from './copy-reads.ts'
import { scripts } from './copy-scripts.ts'
import { FST_RSP_SESSION_TOO_LARGE } from './errors.ts'
import { flatFields } from './found-session.ts'
import { keys } from './keys.ts'
import type { FlushRequest, UnsavedField } from './stores/flush.ts'
import type { Credential } from './token.ts'

/** A credential with the Redis keys of its session. */
export interface Held extends Credential {
  readonly gateKey: string
  readonly keys: CopyKeys
  /** Another library chose the id, and may ask for it before it makes it: that it is not known now is not remembered. */
  readonly chosen?: true
}

/** What a request changed, and the version it had loaded. */
interface Delta { readonly set: ReadonlyMap<string, string>, readonly deleted: readonly string[], readonly loaded: number }

/** What a copy holds beside lineage and version. */
export interface CopyContent {
  readonly version: number
  readonly ttlMs: number
  /** Flat: name, value, name, value, … */
  readonly fields: readonly string[]
}

// How long Redis remembers that a session is dead: as a key with only field x.
const tombstoneTtlMs = 60_000

/** The copies of sessions in Redis: a script each, and none but a leased fill, activate or rotate creates one. */
export class Copies {
  readonly #link: Link
  readonly #gate: KeyShape
  readonly #copy: KeyShape
  readonly #written: (keys: readonly string[]) => void
  readonly #reads: CopyReads

  /** @param written - told of all keys that this process has written, or may have, before it goes on */
  constructor (link: Link, keyspace: Keyspace, written: (keys: readonly string[]) => void = () => undefined) {
    this.#link = link
    this.#reads = new CopyReads(link)
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
   * Asks for a copy; a request's only command in the common case.
   * @returns false if Redis cannot be believed now: the era of its data is not known. The callback is not called then
   */
  read (held: Held, callback: ReadCallback): boolean {
    return this.#reads.read(held.keys, callback)
  }

  /** The era in which Redis may be believed now; undefined: none. */
  eraOf (gateKey: string): string | undefined {
    return this.#reads.eraOf(gateKey)
  }

  /** A lease on a user's gate, or undefined while Redis cannot give one. */
  lease (tag: string): Promise<Lease | undefined> {
    return this.#reads.lease(this.#gate.key(tag))
  }

  /** @throws a `LinkError`, as do all that follow */
  fill (held: Held, lease: Lease, { version, ttlMs, fields }: CopyContent): Promise<unknown> {
    return this.#write(scripts.fill, held.keys, [lease.n, lease.g, version, Math.floor(ttlMs), ...fields])
  }

  bury (held: Held): Promise<unknown> {
    return this.#write(scripts.bury, [held.keys[1]], [tombstoneTtlMs])
  }

  /** @param hashes - with whether each is dead, or only not to be kept */
  kill (tag: string, hashes: readonly { readonly hash: string, readonly dead: boolean }[]): Promise<unknown> {
    return this.#write(scripts.kill, this.#keysOf(tag, hashes.map(({ hash }) => hash)), [tombstoneTtlMs, ...hashes.map(({ dead }) => dead ? '1' : '0')])
  }

  /** Ends all copies of a user, known and unknown. */
  dropGate (tag: string): Promise<unknown> {
    const gateKey = this.#gate.key(tag)
    return this.#told([gateKey], this.#link.send('UNLINK', gateKey))
  }

  /** @param hashes - the new one, then the victims */
  activate (tag: string, hashes: readonly [string, ...string[]], lease: Lease | undefined, content: CopyContent): Promise<unknown> {
    const { version, ttlMs, fields } = content
    const args: RedisArg[] = [lease?.n ?? '', lease?.g ?? '', version, Math.floor(ttlMs), tombstoneTtlMs, ...fields]
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
