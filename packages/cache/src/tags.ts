import { inspect } from 'node:util'
import { FST_RSP_CACHE_TAG_INVALID, FST_RSP_CACHE_TAGS_TOO_MANY } from './errors.ts'

const maxTags = 128
const maxTagLength = 1_024

/**
 * The tags of an entry, each once.
 * @throws FST_RSP_CACHE_TAGS_TOO_MANY, FST_RSP_CACHE_TAG_INVALID
 */
export function checkedTags (tags: readonly string[] | undefined): readonly string[] {
  if (tags === undefined || tags.length === 0) return none
  if (tags.length > maxTags) throw new FST_RSP_CACHE_TAGS_TOO_MANY(maxTags, tags.length)
  for (const tag of tags) {
    if (typeof tag !== 'string' || tag === '' || tag.length > maxTagLength) {
      throw new FST_RSP_CACHE_TAG_INVALID(maxTagLength, typeof tag === 'string' ? `${tag.length} characters` : inspect(tag))
    }
  }
  return isSet(tags) ? tags.slice() : [...new Set(tags)]
}

/** Whether each is there once: looked at without a table, since there are few. */
function isSet (tags: readonly string[]): boolean {
  for (let i = 1; i < tags.length; i++) if (tags.lastIndexOf(tags[i]!, i - 1) !== -1) return false
  return true
}

const none: readonly string[] = Object.freeze([])
