import type { Answer } from '../answer.ts'
import type { Namespace } from '../namespace.ts'
import { type StoredResponse, isStored } from './stored-response.ts'

/** A stored answer, made ready to be given again and again. */
export interface ReadyAnswer {
  readonly stored: StoredResponse
  /** Bytes as the server takes them. */
  readonly body: string | Buffer
  /** All but Vary, which may be added to what hooks have said. */
  readonly headers: readonly (readonly [name: string, value: string | string[]])[]
  readonly vary: string | undefined
}

/** Makes a stored answer ready: once, however often it is given. */
export function readyAnswer (stored: StoredResponse): ReadyAnswer {
  const { headers: { vary, ...others }, body, etag } = stored
  return {
    stored,
    body: typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    headers: Object.entries({ ...others, etag }),
    vary: vary === undefined ? undefined : String(vary)
  }
}

/** The answers that lie in this process, each made ready once for as long as it lies there. */
export class ReadyAnswers {
  readonly #space: Pick<Namespace, 'local' | 'journal' | 'nameOf'>
  readonly #ready = new WeakMap<Answer, ReadyAnswer | 'none'>()

  /** @param space - the namespace of stored answers */
  constructor (space: Pick<Namespace, 'local' | 'journal' | 'nameOf'>) {
    this.#space = space
  }

  /** Without a promise, and without asking the store. */
  find (key: string): ReadyAnswer | undefined {
    const name = this.#space.nameOf(key)
    const copy = this.#space.local.find(name)
    if (copy === undefined) return undefined
    const ready = this.#ready.get(copy.answer) ?? this.#made(copy.answer)
    if (ready === 'none') return undefined
    this.#space.journal.hitL1(name)
    return ready
  }

  #made (answer: Answer): ReadyAnswer | 'none' {
    const value = answer.own
    const ready = isStored(value) ? readyAnswer(value) : 'none'
    this.#ready.set(answer, ready)
    return ready
  }
}
