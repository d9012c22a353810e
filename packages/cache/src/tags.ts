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
  return [...new Set(tags)]
}

const none: readonly string[] = Object.freeze([])
