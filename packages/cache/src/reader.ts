import { LRUCache } from 'lru-cache'
import type { Clock, Invalidations, Mark } from '@respite/redis'
import { type Answer, answerOf } from './answer.ts'
import { bodyOf } from './codecs/body.ts'
import type { Places } from './keys.ts'
import type { LocalCopies } from './local-copies.ts'
import type { Journal } from './journal.ts'
import type { MissReason } from './read-report.ts'
import type { Pattern } from './pattern.ts'
import { type CacheRecord, decodeRecord, recordId } from './record.ts'
import { type Snapshot, isCurrent } from './snapshot.ts'
import type { LeaseRequest, Reply, Store, Versions } from './stores/store.ts'

/** What a reader works with. */
export interface ReaderParts {
  readonly store: Store
  readonly places: Places
  readonly local: LocalCopies
  readonly invalidations: Invalidations
  readonly clock: Clock
  readonly journal: Journal
  /** Whether callers get copies of plain values too. */
  readonly copy: boolean
}

/** What the store answered, judged. */
export interface Asked extends Omit<Reply, 'record'>, Verdict {}

interface Verdict {
  /** What lies there and is true: fresh with `HIT`, stale with `STALE`. */
  readonly answer: Answer | undefined
  /** Id of a record that is there, but dead or unreadable; else ''. */
  readonly deadId: string
  /** Of what lies there and is true: its id, what its fill took, and how long ago that was; undefined: not known. */
  readonly id: string
  readonly costMs: number
  readonly ageMs: number | undefined
  /** Why there is no answer, or no fresh one; undefined where there is one. */
  readonly missReason: MissReason | undefined
}

interface Question { readonly key: string, readonly token: string, readonly withinMs: number | undefined, readonly mark: Mark, readonly askedAt: number, spoiled: boolean }

interface Readable { readonly record: CacheRecord, readonly answer: Answer, readonly bytes: number, readonly ageMs: number | undefined }

const nothing: Verdict = { answer: undefined, deadId: '', id: '', costMs: 0, ageMs: undefined, missReason: 'absent' }

/** Keys whose tags are remembered, so that they are asked for along with the key; one that falls out costs a round trip. */
const maxHints = 10_000

/** Asks the store for an entry, compares its nonces with those of the moment, and keeps a local copy where it may. */
export class Reader {
  readonly #parts: ReaderParts
  readonly #hints = new LRUCache<string, readonly string[]>({ max: maxHints })
  readonly #open = new Set<Question>()

  constructor (parts: ReaderParts) {
    this.#parts = parts
  }

  /** @throws a `LinkError` */
  async ask (key: string, declared: readonly string[], lease?: LeaseRequest): Promise<Asked> {
    const { store, places, invalidations, clock } = this.#parts
    const hinted = this.#hints.get(key)
    const tags = hinted === undefined ? declared : [...new Set([...declared, ...hinted])]
    // Unarmed nothing is kept, whatever is said meanwhile.
    const mark = invalidations.mark(invalidations.armed ? [places.val(key), places.nsKey, ...tags.map(tag => places.tag(tag))] : [])
    const question: Question = { key, token: lease?.token ?? '', withinMs: lease?.withinMs, mark, askedAt: clock.monotonicMs(), spoiled: false }
    this.#open.add(question)
    try {
      return await this.#judge(question, await store.read(lease === undefined ? { key, tags } : { key, tags, lease }))
    } finally {
      this.#open.delete(question)
      mark.release()
    }
  }

  /** Answers on their way to these keys must not be kept. */
  spoil (pattern?: Pattern): void {
    for (const question of this.#open) if (pattern === undefined || pattern.test(question.key)) question.spoiled = true
  }

  async #judge (question: Question, reply: Reply): Promise<Asked> {
    const { store, copy } = this.#parts
    if (reply.state === 'FOREIGN') return this.#foreign(reply)
    if (reply.record === undefined) return judged(reply, nothing)
    const record = decodeRecord(reply.record)
    if (record === 'foreign') {
      if (reply.lease === 'LEASED') await store.done(question.key, question.token, '-')
      return this.#foreign(reply)
    }
    if (record === 'corrupt') return this.#corrupt(question.key, reply)
    const unasked = unaskedTags(record.snapshot, reply.versions)
    if (unasked.length > 0) await this.#completeVersions(question, unasked, { snapshot: record.snapshot, versions: reply.versions })
    if (!isCurrent(record.snapshot, reply.versions)) return judged(reply, { ...nothing, missReason: 'invalidated', deadId: record.id })
    try {
      const opened = bodyOf(record)
      // Most are not compressed, and a hit waits for nothing it need not.
      const body = opened instanceof Promise ? await opened : opened
      const answer = answerOf(body, copy)
      const ageMs = ageOf(record, reply)
      if (reply.state === 'HIT') this.#keep(question, reply, { record, bytes: body.content.length, answer, ageMs })
      return judged(reply, { answer, deadId: '', id: record.id, costMs: record.costMs, ageMs, missReason: reply.state === 'HIT' ? undefined : 'expired' })
    } catch {
      // Bytes a stranger has changed: a miss like any other.
      return this.#corrupt(question.key, reply)
    }
  }

  /** Reads the tags that only the record names: a second round trip, the next time along with the first. */
  async #completeVersions (question: Question, missing: readonly string[], { snapshot, versions }: { snapshot: Snapshot, versions: Versions }): Promise<void> {
    const { store, places, invalidations } = this.#parts
    this.#hints.set(question.key, [...snapshot.tags.keys()])
    invalidations.extend(question.mark, missing.map(tag => places.tag(tag)))
    for (const [tag, nonce] of await store.versions(missing, question.withinMs)) versions.tags.set(tag, nonce)
  }

  #keep ({ key, mark, askedAt, spoiled }: Question, reply: Reply, { record, bytes, answer, ageMs = 0 }: Readable): void {
    const { local, places } = this.#parts
    if (spoiled || !mark.mayKeep(places.nsKey)) return
    const { tags } = record.snapshot
    if (mark.mayKeep(places.val(key))) {
      const { id, costMs } = record
      local.keep(key, { answer, tags, bytes, id, costMs, bornAt: askedAt - ageMs, askedAt, leftMs: reply.leftMs })
    }
    for (const [tag, nonce] of tags) if (mark.mayKeep(places.tag(tag))) local.keepTag(tag, nonce)
  }

  #foreign (reply: Reply): Asked {
    this.#parts.journal.meters.unreadable('foreign')
    return judged({ ...reply, state: 'FOREIGN', lease: '' }, { ...nothing, missReason: 'foreign' })
  }

  #corrupt (key: string, reply: Reply): Asked {
    const { journal, store } = this.#parts
    const id = recordId(reply.record!)
    journal.meters.unreadable('corrupt')
    // Not waited for: should it fail, whoever reads next finds the same bytes and tries again.
    store.discard(key, id).catch(() => undefined)
    return judged(reply, { ...nothing, missReason: 'unreadable', deadId: id })
  }
}

/** Written out: to spread both would take longer than the rest of a hit. */
function judged ({ state, lease, holder, leftMs, pastMs, versions }: Reply, { answer, deadId, id, costMs, ageMs, missReason }: Verdict): Asked {
  return { state, lease, holder, leftMs, pastMs, versions, answer, deadId, id, costMs, ageMs, missReason }
}

/** Undefined for what was made stale before its time. */
function ageOf ({ ttlMs }: CacheRecord, { state, leftMs, pastMs }: Reply): number | undefined {
  if (state === 'HIT') return Math.max(0, ttlMs - leftMs)
  return pastMs > 0 ? ttlMs + pastMs : undefined
}

function unaskedTags ({ tags }: Snapshot, versions: Versions): readonly string[] {
  const unasked: string[] = []
  for (const tag of tags.keys()) if (!versions.tags.has(tag)) unasked.push(tag)
  return unasked
}
