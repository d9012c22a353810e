import createError from '@fastify/error'

/** The code of a refusal: it stands in the body of a 429 and in the errors of hooks. */
export const RATE_LIMITED = 'RATE_LIMITED'

/** The plugin was registered twice, in one context or in two: the names of limits, their metrics and the health report are the app's. */
export const FST_RSP_RATELIMIT_TWICE = createError(
  'FST_RSP_RATELIMIT_TWICE', '@respite/ratelimit is registered already: what other routes need belongs into their config.rateLimit', 500)

/** A limit's options contradict each other. */
export const FST_RSP_RATELIMIT_LIMIT_INVALID = createError<[string, string]>(
  'FST_RSP_RATELIMIT_LIMIT_INVALID', "limit '%s': %s", 500)

/** What a route or a `rateLimit()` says is neither false, nor a limit or its name, nor a list of them. */
export const FST_RSP_RATELIMIT_ROUTE_INVALID = createError<[string, string]>(
  'FST_RSP_RATELIMIT_ROUTE_INVALID', '%s %s', 500)

/** Two limits have one name but are not the same: they would count in one place by two rules. */
export const FST_RSP_RATELIMIT_NAME_TAKEN = createError<[string, string, string]>(
  'FST_RSP_RATELIMIT_NAME_TAKEN', "limit '%s' is %s, and cannot also be %s: give one of them another name", 500)

/** A call asks for a limit by a name that no option and no route has defined. */
export const FST_RSP_RATELIMIT_UNKNOWN = createError<[string]>(
  'FST_RSP_RATELIMIT_UNKNOWN', "there is no limit '%s'", 500)

/** An entry of the allow list is no address and no range. */
export const FST_RSP_RATELIMIT_ALLOW_INVALID = createError<[number, string]>(
  'FST_RSP_RATELIMIT_ALLOW_INVALID', "ratelimit: option 'allow[%d]' must be an address or a CIDR range, got %s", 500)

/** An entry of the deny list is no address and no range. */
export const FST_RSP_RATELIMIT_DENY_INVALID = createError<[number, string]>(
  'FST_RSP_RATELIMIT_DENY_INVALID', "ratelimit: option 'deny[%d]' must be an address or a CIDR range, got %s", 500)

/** The client's address is on the deny list. No 429: it would pass at no other time. */
export const FST_RSP_RATELIMIT_DENIED = createError(
  'FST_RSP_RATELIMIT_DENIED', 'requests from this address are not served', 403)

/** The app's `exempt` answered neither true nor false. */
export const FST_RSP_RATELIMIT_EXEMPT_INVALID = createError<[string]>(
  'FST_RSP_RATELIMIT_EXEMPT_INVALID', "ratelimit: option 'exempt' must return true or false, got %s", 500)

/** The `limitFor` of a limit returned what is no tier of it. */
export const FST_RSP_RATELIMIT_TIER_INVALID = createError<[string, string, string]>(
  'FST_RSP_RATELIMIT_TIER_INVALID', "limitFor of limit '%s' returned %s: %s", 500)

/** A key is no text or number; the value is not shown, since it may identify somebody. */
export const FST_RSP_RATELIMIT_KEY_INVALID = createError<[string, string]>(
  'FST_RSP_RATELIMIT_KEY_INVALID', "the key for limit '%s' must be a string or a number, got a value of type %s", 500)

/** Nobody more can be blocked in memory: all whom this process remembers are refused. */
export const FST_RSP_RATELIMIT_FULL = createError<[number]>(
  'FST_RSP_RATELIMIT_FULL', "all %d subjects that option 'maxKeys' lets this process remember are refused: nobody more can be blocked", 503)

/** A cost is no whole number from 1 on; from a function of the request, from 0 on. */
export const FST_RSP_RATELIMIT_COST_INVALID = createError<[string, string, string]>(
  'FST_RSP_RATELIMIT_COST_INVALID', "the cost for limit '%s' must be a whole number from %s to 1000000000, got %s", 500)

/** The `errorBuilder` of the app made no body. */
export const FST_RSP_RATELIMIT_BODY_INVALID = createError<[string, string]>(
  'FST_RSP_RATELIMIT_BODY_INVALID', 'errorBuilder must return an object, a string or an Error, and at once; it %s %s', 500)

/** The store is away, and the limit says that nobody passes meanwhile. */
export const FST_RSP_RATELIMIT_STORE_DOWN = createError(
  'FST_RSP_RATELIMIT_STORE_DOWN', 'limits cannot be checked at the moment', 503)

/** `@respite/ratelimit/compat` and `@respite/ratelimit` are registered in one app: both read the routes' config.rateLimit. */
export const FST_RSP_RATELIMIT_COMPAT_BESIDE = createError(
  'FST_RSP_RATELIMIT_COMPAT_BESIDE', '@respite/ratelimit is registered already, and reads config.rateLimit its own way: take one of the two', 500)

/** With `@respite/ratelimit/compat`, a function for `max` or `timeWindow` gave what is no number, or no time. */
export const FST_RSP_RATELIMIT_COMPAT_VALUE = createError<[string, string, string]>(
  'FST_RSP_RATELIMIT_COMPAT_VALUE', "'%s' must give %s, it gave %s", 500)

/** With `@respite/ratelimit/compat`, `{ increment: false }` was asked of a store that has no `read`. */
export const FST_RSP_RATELIMIT_COMPAT_READ = createError(
  'FST_RSP_RATELIMIT_COMPAT_READ', "{ increment: false } needs a store with a method 'read', and the class of option 'store' has none", 500)
