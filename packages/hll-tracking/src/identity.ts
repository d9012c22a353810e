import { LRUCache } from 'lru-cache'
import { type IdForm, type Identity, IdentityKey, plainId, plainScheme } from './identity-key.ts'

/** All that may rest of one id: in the top lists, and under each key in the sketches. */
export interface Traces {
  readonly members: readonly Buffer[]
  readonly keyed: readonly { readonly keyId: string, readonly id: Buffer }[]
}

// Ids remembered with what was made of them: those of a busy moment come again.
const maxRemembered = 10_000
// Longer ids are counted under a keyed hash of theirs: a header must not fill the memory.
const maxIdLength = 256

/** Makes stored identities of ids by the current key, and shows again what this key or one of the others made. */
export class Identities {
  /** All keys by name, the current one first. */
  readonly keyIds: readonly string[]
  /** All ways in which a member may have been made that can be shown. */
  readonly schemes: readonly string[]
  /** The way in which members are made now. */
  readonly scheme: string
  readonly #current: IdentityKey
  readonly #keys: readonly IdentityKey[]
  readonly #form: IdForm
  readonly #known = new LRUCache<string, Identity>({ max: maxRemembered })

  /**
   * @param secret - of the current key
   * @param previous - secrets under which ids may have been kept as well
   */
  constructor (secret: string | Buffer, form: IdForm, previous: readonly (string | Buffer)[] = []) {
    this.#current = new IdentityKey(secret)
    this.#keys = [this.#current, ...previous.map(other => new IdentityKey(other))]
    this.#form = form
    this.keyIds = this.#keys.map(({ id }) => id)
    this.schemes = [...this.#keys.map(({ scheme }) => scheme), plainScheme]
    this.scheme = form === 'plain' ? plainScheme : this.#current.scheme
  }

  /** Names the current key without telling it. */
  get keyId (): string {
    return this.#current.id
  }

  /** What is counted for a caller: a number is its text, a very long text a keyed hash of it; the empty id is nobody's. */
  idOf (who: unknown): string {
    // Half a surrogate pair has no bytes of its own: ids that are stored as the same bytes must be one from the start.
    if (typeof who === 'string') return who.length <= maxIdLength ? who.toWellFormed() : this.#current.shorten(who)
    return typeof who === 'number' && Number.isFinite(who) ? String(who) : ''
  }

  /** The same id gives the same identity in every process with this key. */
  of (id: string): Identity {
    let identity = this.#known.get(id)
    if (identity === undefined) this.#known.set(id, identity = this.#current.of(id, this.#form))
    return identity
  }

  /** What may rest of a caller, under whatever key and form; the memory of it here is dropped. */
  tracesOf (who: string | number): Traces {
    const made = this.#keys.map(key => {
      const text = String(who).toWellFormed()
      const id = text.length <= maxIdLength ? text : key.shorten(text)
      this.#known.delete(id)
      return { keyId: key.id, sealed: key.of(id, 'encrypted'), plain: key.of(id, 'plain').member.toString('latin1') }
    })
    const plain = Array.from(new Set(made.map(({ plain }) => plain)), member => Buffer.from(member, 'latin1'))
    return {
      members: [...made.map(({ sealed }) => sealed.member), ...plain],
      keyed: made.map(({ keyId, sealed }) => ({ keyId, id: sealed.keyed }))
    }
  }

  /** The id of a member and the way it was made, or undefined when that was under another key, or by nobody. */
  read (member: Buffer): { id: string, scheme: string } | undefined {
    const plain = plainId(member)
    if (plain !== undefined) return { id: plain, scheme: plainScheme }
    for (const key of this.#keys) {
      const id = key.decrypt(member)
      if (id !== undefined) return { id, scheme: key.scheme }
    }
    return undefined
  }
}
