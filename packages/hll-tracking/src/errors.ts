import createError from '@fastify/error'

/** The name of a metric is empty, too long or not well-formed text. */
export const FST_RSP_TRACKING_METRIC_INVALID = createError<[number, string]>(
  'FST_RSP_TRACKING_METRIC_INVALID', 'the name of a metric must be text of 1 to %d bytes, got %s', 500)

/** A window ends before it starts, lies in the future, or begins before what is kept. */
export const FST_RSP_TRACKING_WINDOW = createError<[string, string]>(
  'FST_RSP_TRACKING_WINDOW', 'the window %s; kept are %s', 400)

/** A series is asked for in a zone that has no such buckets: only days of the zones in option `zones` have. */
export const FST_RSP_TRACKING_ZONE = createError<[string, string, string]>(
  'FST_RSP_TRACKING_ZONE', "there are no %ss of zone '%s': days are counted in those of option 'zones', %s, all else in UTC", 400)

/** A series is asked for by something else than minutes, hours or days. */
export const FST_RSP_TRACKING_BY_INVALID = createError<[string]>(
  'FST_RSP_TRACKING_BY_INVALID', "'by' must be 'minute', 'hour' or 'day', got %s", 400)

/** With Redis, identities must be keyed by a secret that all processes share. */
export const FST_RSP_TRACKING_KEY_MISSING = createError(
  'FST_RSP_TRACKING_KEY_MISSING', "option 'key' is missing: with Redis, all processes need one secret by which identities are keyed", 500)

/** A number of entries to list is out of its bounds. */
export const FST_RSP_TRACKING_K_INVALID = createError<[number, string]>(
  'FST_RSP_TRACKING_K_INVALID', "'k' must be a whole number from 1 to %d, got %s", 400)

/** Whom to export or erase is neither text nor a number. */
export const FST_RSP_TRACKING_ID_INVALID = createError<[string]>(
  'FST_RSP_TRACKING_ID_INVALID', 'an id must be text or a finite number, got %s', 400)

/** A route's `config.track` is neither a name nor `{ metric, who }`. */
export const FST_RSP_TRACKING_ROUTE_INVALID = createError<[string, string, string]>(
  'FST_RSP_TRACKING_ROUTE_INVALID', '%s %s: config.track must be the name of a metric or { metric, who }, got %s', 500)

/** A value is no HyperLogLog of Redis. */
export const FST_RSP_TRACKING_HLL_CORRUPT = createError<[string]>(
  'FST_RSP_TRACKING_HLL_CORRUPT', 'not a HyperLogLog: %s', 500)
