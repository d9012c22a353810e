import { type KeyObject, createHmac, createSecretKey } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { FST_RSP_CACHE_KEY_INVALID, FST_RSP_CACHE_PATTERN_HASHED } from './errors.ts'
import { checkedTags } from './tags.ts'

/** 192 bits: among 10¹² keys two are alike with a chance of 10⁻³⁴, and base64url needs no padding. */
const nameBytes = 24

/** Names that are remembered, since a local copy is found in less time than an HMAC takes; longer keys are not. */
const remembered = { names: 10_000, characters: 256 }

/**
 * What the keys and tags of one namespace are called outside of this process: an HMAC-SHA-256 of them, under a key of its own for each
 * namespace and kind. So equal names elsewhere do not show, and without the secret nobody can try out what a name stands for.
 */
export class HashedNames {
  readonly #ns: string
  readonly #keySecret: KeyObject
  readonly #tagSecret: KeyObject
  readonly #known = new LRUCache<string, string>({ max: remembered.names })

  constructor (secret: string, ns: string) {
    const root = createSecretKey(secret, 'utf8')
    this.#ns = ns
    this.#keySecret = derived(root, ['key', ns])
    this.#tagSecret = derived(root, ['tag', ns])
  }

  /** @throws FST_RSP_CACHE_KEY_INVALID, which does not show it */
  key (key: string): string {
    if (typeof key !== 'string') throw new FST_RSP_CACHE_KEY_INVALID(`a value of type ${typeof key}`)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const name = named(this.#keySecret, key)
    if (key.length <= remembered.characters) this.#known.set(key, name)
    return name
  }

  /** @throws FST_RSP_CACHE_TAG_INVALID, FST_RSP_CACHE_TAGS_TOO_MANY */
  tags (tags: readonly string[]): string[] {
    return checkedTags(tags).map(tag => named(this.#tagSecret, tag))
  }

  /** @throws FST_RSP_CACHE_PATTERN_HASHED: nothing tells which names a pattern stands for */
  pattern (): never {
    throw new FST_RSP_CACHE_PATTERN_HASHED(this.#ns)
  }
}

function derived (root: KeyObject, what: readonly [kind: string, ns: string]): KeyObject {
  return createSecretKey(createHmac('sha256', root).update(JSON.stringify(what)).digest())
}

/** Of UTF-16, in which any two strings differ: lone surrogates are one and the same in UTF-8. */
function named (secret: KeyObject, text: string): string {
  return createHmac('sha256', secret).update(text, 'utf16le').digest().toString('base64url', 0, nameBytes)
}
