import { type Body, type Codec, decodeValue, encodeValue } from './codecs/body.ts'
import type { Decoded } from './codecs/reviving.ts'
import { FST_RSP_CACHE_NOT_SERIALISABLE, shown } from './errors.ts'

/** What callers are given: never two of them the same thing they could change. */
export class Answer {
  readonly #value: unknown
  readonly #copy: boolean

  /** @param copy - whether plain values are copied too, instead of frozen and shared */
  constructor (decoded: Decoded, copy: boolean) {
    this.#value = decoded.value
    this.#copy = (copy || !decoded.plain) && typeof decoded.value === 'object' && decoded.value !== null
  }

  /** The value itself: for those of this package who neither change it nor hand it out. */
  get own (): unknown {
    return this.#value
  }

  /** The value for one caller: shared where it is frozen or no object, else a copy. */
  forCaller (): unknown {
    return this.#copy ? structuredClone(this.#value) : this.#value
  }
}

/**
 * The serialised form of a value, for a record.
 * @throws FST_RSP_CACHE_NOT_SERIALISABLE
 */
export function written (key: string, value: unknown, codec: Codec): Body {
  if (value === undefined) throw new FST_RSP_CACHE_NOT_SERIALISABLE(shown(key), 'undefined means absent')
  try {
    return encodeValue(value, codec)
  } catch (error) {
    throw Object.assign(new FST_RSP_CACHE_NOT_SERIALISABLE(shown(key), (error as Error).message), { cause: error })
  }
}

/** @throws what `decodeValue` throws */
export function answerOf (body: Body, copy: boolean): Answer {
  return new Answer(decodeValue(body), copy)
}
