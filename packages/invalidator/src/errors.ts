import createError from '@fastify/error'

/** An entity was defined twice. */
export const FST_RSP_INVALIDATOR_DEFINED = createError<[string]>(
  'FST_RSP_INVALIDATOR_DEFINED', "entity '%s' is defined already", 500)

/** There are more definitions than there may be: entities are named by the app, never from requests. */
export const FST_RSP_INVALIDATOR_DEFINITIONS_TOO_MANY = createError<[string, number]>(
  'FST_RSP_INVALIDATOR_DEFINITIONS_TOO_MANY', "entity '%s' is one too many, the most is %d", 500)

/** A definition has an unknown field, one of the wrong type, or names what the cache cannot drop; the field by its path. */
export const FST_RSP_INVALIDATOR_DEFINITION_INVALID = createError<[string, string, string]>(
  'FST_RSP_INVALIDATOR_DEFINITION_INVALID', "the definition of '%s' is invalid: '%s' is %s", 500)

/** What an entity's definition gave is no list of texts, or an entity without a definition has no `id`. */
export const FST_RSP_INVALIDATOR_TARGETS_INVALID = createError<[string, string]>(
  'FST_RSP_INVALIDATOR_TARGETS_INVALID', "what is to be dropped for '%s' is unknown: %s", 500)

/** What a call or a route wants dropped is neither a list of tags, nor `{ keys, patterns, tags }`, nor `{ entity, states }`. */
export const FST_RSP_INVALIDATOR_WHAT_INVALID = createError<[string, string]>(
  'FST_RSP_INVALIDATOR_WHAT_INVALID', "what is to be dropped is unknown: '%s' is %s", 500)

/** `version` was called for an entity whose definition does not say `versioned`: no change would ever give it another. */
export const FST_RSP_INVALIDATOR_NOT_VERSIONED = createError<[string]>(
  'FST_RSP_INVALIDATOR_NOT_VERSIONED', "entity '%s' has no versions: its definition lacks 'versioned'", 500)

/** A warm-up has an entry or an option of the wrong type, by its path. */
export const FST_RSP_INVALIDATOR_WARM_UP_INVALID = createError<[string, string]>(
  'FST_RSP_INVALIDATOR_WARM_UP_INVALID', "the warm-up is invalid: '%s' is %s", 500)

/** `config.invalidates` is on a route that has no unsafe method. */
export const FST_RSP_INVALIDATOR_ROUTE_METHOD = createError<[string, string]>(
  'FST_RSP_INVALIDATOR_ROUTE_METHOD', '%s %s has config.invalidates, which is for methods that change something', 500)

/** `config.invalidates` of a route is no function. */
export const FST_RSP_INVALIDATOR_ROUTE_INVALID = createError<[string, string, string]>(
  'FST_RSP_INVALIDATOR_ROUTE_INVALID', '%s %s has config.invalidates that is no function but %s', 500)
