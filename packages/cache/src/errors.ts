import createError from '@fastify/error'

/** A key is not a string. */
export const FST_RSP_CACHE_KEY_INVALID = createError<[string]>(
  'FST_RSP_CACHE_KEY_INVALID', 'a cache key must be a string, got %s', 500)

/** A time to live is 0, or longer than ten years. */
export const FST_RSP_CACHE_TTL_OUT_OF_BOUNDS = createError<[string, number]>(
  'FST_RSP_CACHE_TTL_OUT_OF_BOUNDS', "'%s' must be from 1 ms to ten years, got %d ms", 500)

/** A value holds something that has no serialised form: a function, a symbol, a cycle; `undefined` as a whole. Nothing was stored. */
export const FST_RSP_CACHE_NOT_SERIALISABLE = createError<[string, string]>(
  'FST_RSP_CACHE_NOT_SERIALISABLE', "the value of '%s' cannot be stored: %s", 500)

/** An entry has more tags than it may. */
export const FST_RSP_CACHE_TAGS_TOO_MANY = createError<[number, number]>(
  'FST_RSP_CACHE_TAGS_TOO_MANY', 'an entry has at most %d tags, got %d', 500)

/** A tag is not a string, empty, or too long. */
export const FST_RSP_CACHE_TAG_INVALID = createError<[number, string]>(
  'FST_RSP_CACHE_TAG_INVALID', 'a tag must be a string of 1 to %d characters, got %s', 500)

/** A pattern is not a string, or has too many stars. */
export const FST_RSP_CACHE_PATTERN_INVALID = createError<[number, string]>(
  'FST_RSP_CACHE_PATTERN_INVALID', "a pattern must be a string with at most %d '*', got %s", 500)

/** Where keys are hashed, nobody can tell which of them a pattern matches. */
export const FST_RSP_CACHE_PATTERN_HASHED = createError<[string]>(
  'FST_RSP_CACHE_PATTERN_HASHED', "patterns match nothing in namespace '%s', whose keys are hashed: use tags, or clear()", 500)

/** The factory of this key failed in another process while this one waited for it. */
export const FST_RSP_CACHE_FILL_FAILED = createError<[string]>(
  'FST_RSP_CACHE_FILL_FAILED', "the fill of '%s' failed in another process", 503)

/** What `getOrSetMany` had loaded is neither a Map by id, nor an array with a value for each id. */
export const FST_RSP_CACHE_BATCH_INVALID = createError<[number, string]>(
  'FST_RSP_CACHE_BATCH_INVALID', 'the load of %d missing ids must give a Map, or an array of as many values, got %s', 500)

/** An option of a call is none of what it may be. */
export const FST_RSP_CACHE_CALL_OPTION_INVALID = createError<[string, string, string]>(
  'FST_RSP_CACHE_CALL_OPTION_INVALID', "'%s' must be %s, got %s", 500)

/** A value was not there within `timeouts.hard`. */
export const FST_RSP_CACHE_FILL_TIMEOUT = createError<[string, number]>(
  'FST_RSP_CACHE_FILL_TIMEOUT', "fill of '%s' exceeded %d ms", 504)

/** There is no event of this name. */
export const FST_RSP_CACHE_EVENT_UNKNOWN = createError<[string, string]>(
  'FST_RSP_CACHE_EVENT_UNKNOWN', 'a cache has the events %s, got %s', 500)

/** A namespace was asked for again with other options. */
export const FST_RSP_CACHE_NAMESPACE_TAKEN = createError<[string]>(
  'FST_RSP_CACHE_NAMESPACE_TAKEN', "namespace '%s' exists with other options", 500)

/** There are more namespaces than there may be: they are named by the app, never from requests. */
export const FST_RSP_CACHE_NAMESPACES_TOO_MANY = createError<[string, number]>(
  'FST_RSP_CACHE_NAMESPACES_TOO_MANY', "namespace '%s' is one too many, the most is %d", 500)

/** The app closed while an invalidation still waited for Redis: the old value may stay until its time to live ends. */
export const FST_RSP_CACHE_QUEUE_LOST = createError<[string]>(
  'FST_RSP_CACHE_QUEUE_LOST', "the app closed before Redis took the invalidation of '%s'", 503)

/** `config.cache` is on a route of another method than GET or HEAD. */
export const FST_RSP_CACHE_ROUTE_METHOD = createError<[string, string]>(
  'FST_RSP_CACHE_ROUTE_METHOD', '%s %s has config.cache, which is for GET and HEAD alone', 500)

/** `varyBy` of a cached route gave neither a string nor undefined: a promise, or an object, would be the same for everybody. */
export const FST_RSP_CACHE_VARY_BY_INVALID = createError<[string, string]>(
  'FST_RSP_CACHE_VARY_BY_INVALID', "varyBy of '%s' must give a string or undefined, got %s", 500)

/** A key as a message shows it: not more than its beginning. */
export function shown (key: string): string {
  return key.length > 100 ? `${key.slice(0, 100)}…` : key
}
