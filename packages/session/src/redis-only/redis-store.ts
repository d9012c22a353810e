import type { Keyspace, Link } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'
import { FST_RSP_SESSION_LIMIT, FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_TOO_LARGE } from '../errors.ts'
import { flatFields } from '../found-session.ts'
import type { FlushResult } from '../stores/flush.ts'
import { bytesOf } from '../stores/merge.ts'
import type {
  DeadSession, EndedRow, LiveSession, LivingRow, LoginRequest, LoginResult, PeerRow, PendingRow, RevokeRequest, RevokeResult,
  RotateRequest, RotateResult, SaveRequest, SaveResult, SessionInfo, SessionStore
} from '../stores/store.ts'
import { isLive } from '../stores/store.ts'
import { Ledgers } from './ledgers.ts'
import { warnOfEviction } from './eviction-warning.ts'
import { roomOf, roomOfTag, tagOf } from './room.ts'
import { infosOf, type Listed, liveOf, livingOf, pairsOf } from './rows.ts'

type LoginReply = ['MADE', ended: string[], gone: string[]] | ['LIMIT', number] | ['LATE']
type SaveReply = ['SAVED', number] | ['NEXT', string] | ['GONE'] | ['CONFLICT'] | ['LARGE', number]

const dead: DeadSession = Object.freeze({ reuse: undefined })
/** For so many graces a superseded hash is known: fewer than as many lie in a session's ledger, since a grace is shorter than what lies between two rotations. */
const knownGraces = 1_000
const knownAtLeastMs = 10_000

/** What sessions in Redis alone work with. */
export interface RedisStoreParts {
  readonly link: Link
  readonly keyspace: Keyspace
  readonly log: FastifyBaseLogger
  /** Whether sessions outlast a restart or failover of Redis. */
  readonly afterFailover: 'end' | 'trust'
}

/**
 * Sessions that live in Redis alone: the authority is the ledger of their owner, one key. Whatever Redis answers with an error, or not in
 * time, rejects: nothing is known then.
 */
export class RedisStore implements SessionStore {
  readonly kind = 'redis'
  readonly #ledgers: Ledgers
  readonly #link: Link
  readonly #log: FastifyBaseLogger
  #unwatch: (() => void) | undefined

  constructor ({ link, keyspace, log, afterFailover }: RedisStoreParts) {
    this.#ledgers = new Ledgers(link, keyspace, { anyEra: afterFailover === 'trust' })
    this.#link = link
    this.#log = log
  }

  async open (): Promise<void> {
    this.#unwatch = warnOfEviction(this.#link, this.#log)
  }

  async close (): Promise<void> {
    this.#unwatch?.()
  }

  async tagOf (owner: string): Promise<string | undefined> {
    const user = await this.#ledgers.userOf(roomOf(owner))
    return user === undefined ? undefined : tagOf({ owner, userId: user === '' ? undefined : user })
  }

  async find (hash: string, tag?: string): Promise<LiveSession | DeadSession> {
    return tag === undefined ? dead : await this.#find(roomOfTag(tag), hash)
  }

  /** The identity of the data set that knows of a token's session; undefined where that is not known. */
  dataSetOf (tag: string): string | undefined {
    return this.#ledgers.dataSetOf(roomOfTag(tag))
  }

  async login (request: LoginRequest): Promise<LoginResult> {
    const { owner, hash, sid, fields, idleMs, absoluteMs, remembered = false, max, onExceed, replaces = '' } = request
    const room = roomOf(owner.owner)
    const [untilMs] = await Promise.all([this.#ledgers.lease(room), this.#ledgers.note(sid, owner.owner, absoluteMs)])
    const reply = await this.#ledgers.login(room, hash, [
      untilMs, hash, sid, owner.owner, owner.userId ?? '', idleMs, absoluteMs, max, onExceed, replaces, bytesOf(fields), remembered ? 1 : 0, ...flatFields(fields)
    ]) as LoginReply
    if (reply[0] !== 'MADE') this.#clear(room, [sid], [])
    if (reply[0] === 'LIMIT') throw new FST_RSP_SESSION_LIMIT(reply[1])
    if (reply[0] === 'LATE') throw new FST_RSP_SESSION_STORE_DOWN('login')
    const gone = this.#clear(room, reply[1], reply[2])
    return { tag: tagOf(owner), dead: gone, ended: reply[1], version: 1, leftMs: Math.min(idleMs, absoluteMs), capped: absoluteMs <= idleMs }
  }

  async revoke ({ owner, sid, except }: RevokeRequest): Promise<RevokeResult> {
    // The script takes an empty id for none.
    if (sid === '') return { tag: await this.tagOf(owner), dead: [], ended: [] }
    const room = roomOf(owner)
    const [user, ended, flat] = await this.#ledgers.revoke(room, { sid, except }) as [string | null, string[], string[]]
    const gone = this.#clear(room, ended, flat)
    return { tag: user === null ? undefined : tagOf({ owner, userId: user === '' ? undefined : user }), dead: gone, ended }
  }

  async ownerOfSession (sid: string): Promise<string | undefined> {
    return await this.#ledgers.noted(sid)
  }

  async save (request: SaveRequest): Promise<SaveResult> {
    const { hash, tag, set, deleted, conflict, loaded, maxBytes } = request
    if (tag === undefined) return { outcome: 'gone' }
    const reply = await this.#ledgers.save(roomOfTag(tag), hash, [conflict, loaded, maxBytes, set.size, ...[...set].flat(), ...deleted]) as SaveReply
    switch (reply[0]) {
      case 'SAVED': return { outcome: 'saved', hash, version: reply[1] }
      case 'NEXT': return conflict === 'compare-and-set' ? { outcome: 'conflict' } : await this.save({ ...request, hash: reply[1] })
      case 'LARGE': throw new FST_RSP_SESSION_TOO_LARGE([...set.keys()].join(', ').slice(0, 100), reply[1], maxBytes)
      case 'CONFLICT': return { outcome: 'conflict' }
      case 'GONE': return { outcome: 'gone' }
    }
  }

  async flush (): Promise<FlushResult> {
    // There is no row beside what Redis has: `data` must be through.
    return { outcome: 'gone' }
  }

  async rotate ({ owner, hash, next, graceMs }: RotateRequest): Promise<RotateResult | undefined> {
    const room = roomOf(owner)
    const untilMs = await this.#ledgers.lease(room)
    const knownMs = Math.max(knownGraces * graceMs, knownAtLeastMs)
    if (await this.#ledgers.rotate(room, [hash, next], { untilMs, graceMs, knownMs }) !== 1) return undefined
    const row = await this.#find(room, next)
    return isLive(row) ? { row, superseded: { hash, tag: '', dead: false, pend: 0 } } : undefined
  }

  async touch (hash: string, idleMs: number, tag?: string) {
    if (tag === undefined) return undefined
    const [leftMs, capped, issuedAgeMs] = await this.#ledgers.touch(roomOfTag(tag), hash, idleMs) as number[]
    return leftMs === undefined ? undefined : { leftMs, capped: capped === 1, issuedAgeMs: issuedAgeMs! }
  }

  async pending (): Promise<readonly PendingRow[]> {
    return []
  }

  async confirm (): Promise<void> {
    // There are no copies that could disagree.
  }

  async markPending (): Promise<void> {
    // There are no copies that could disagree.
  }

  async list (owner: string): Promise<readonly SessionInfo[]> {
    return infosOf(await this.#ledgers.list(roomOf(owner)) as Listed)
  }

  async living (sids: readonly string[]): Promise<ReadonlyMap<string, LivingRow>> {
    const owners = await Promise.all(sids.map(sid => this.#ledgers.noted(sid)))
    const known = [...new Set(owners)].filter(owner => owner !== undefined)
    const living = await Promise.all(known.map(async owner => livingOf(await this.#ledgers.list(roomOf(owner)) as Listed, owner)))
    return new Map(living.flat().filter(([sid]) => sids.includes(sid)))
  }

  /** Not known: it would take a key that every log-in writes to. */
  async count (): Promise<undefined> {
    return undefined
  }

  async countPeers (): Promise<number> {
    return 0
  }

  async peers (): Promise<readonly PeerRow[]> {
    return []
  }

  async purge () {
    // Redis does that, and tells nobody.
    return []
  }

  async #find (room: string, hash: string, superseded = false): Promise<LiveSession | DeadSession> {
    // As it is now: a process may notice a failover while the answer is on its way.
    const dataSet = this.#ledgers.dataSetOf(room)
    const reply = await this.#ledgers.read(room, hash)
    switch (reply[0]) {
      case 'LIVE': return liveOf(hash, reply, superseded)
      case 'NEXT': return await this.#find(room, reply[1], true)
      case 'REUSE': return superseded ? { ...dead, dataSet } : { reuse: { sid: reply[1], owner: reply[2] }, dataSet }
      case 'DEAD': return { ...dead, dataSet }
    }
  }

  #clear (room: string, ended: readonly string[], flat: readonly string[]): readonly EndedRow[] {
    const gone = pairsOf(flat).map(([hash, sid]) => ({ hash, sid }))
    this.#ledgers.clear(room, gone.map(({ hash }) => hash), ended).catch((error: unknown) => {
      // Nothing rests on it: all of it expires.
      this.#log.debug({ err: error }, 'what ended sessions have left in Redis could not be freed')
    })
    return gone
  }
}
