import { createHmac } from 'node:crypto'
import type { Copies, Held } from '../copies.ts'
import { ownerOfVisitor } from '../owner.ts'
import { peerPrefix, tombstonePrefix } from '../stores/sid-prefixes.ts'
import { visitorTagOf } from '../token.ts'

/** What an id that another library chose stands for here; nothing of it leads back to the id. */
export interface ChosenId {
  readonly held: Held
  /** The public id. */
  readonly sid: string
  /** A visitor's: it owns this session alone. */
  readonly owner: ReturnType<typeof ownerOfVisitor>
}

/** Derives what stands for an id, under each of the secrets. */
export class ChosenIds {
  readonly #keys: readonly Buffer[]
  readonly #hold: Copies['hold']

  constructor (secrets: readonly string[], hold: Copies['hold']) {
    // A key of its own from each secret, as for tokens.
    this.#keys = secrets.map(secret => createHmac('sha256', secret).update('respite session chosen v1').digest())
    this.#hold = hold
  }

  /** Under the first secret, under which new ones are made, then under the others. */
  of (id: string): [ChosenId, ...ChosenId[]] {
    return this.#keys.map(key => this.#under(key, id)) as [ChosenId, ...ChosenId[]]
  }

  // Parts of one MAC: none of them says anything of another, or of the id.
  #under (key: Buffer, id: string): ChosenId {
    const mac = createHmac('sha512', key).update(id).digest()
    const sid = peerPrefix + mac.subarray(48, 60).toString('base64url').slice(1)
    const credential = { hash: mac.subarray(0, 32).toString('base64url'), tag: visitorTagOf(mac.subarray(32, 48)) }
    return { sid, owner: ownerOfVisitor(sid), held: { ...this.#hold(credential), chosen: true } }
  }
}

/** The public id of what keeps a session's id from being made again. */
export const tombstoneSidOf = (sid: string) => tombstonePrefix + sid.slice(1)
