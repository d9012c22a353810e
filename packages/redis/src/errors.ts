import createError from '@fastify/error'

/** An option is unknown, of the wrong type or out of its bounds; the message holds its path and value. */
export const FST_RSP_OPTION_INVALID = createError<[string, string, string, string]>(
  'FST_RSP_OPTION_INVALID', "%s: option '%s' %s, got %s", 500)

/** Production without a server must be asked for. */
export const FST_RSP_REDIS_EMBEDDED_IN_PRODUCTION = createError(
  'FST_RSP_REDIS_EMBEDDED_IN_PRODUCTION',
  "no Redis url was given and NODE_ENV is production: give 'url' or 'client', or say 'embedded: true'", 500)

/** The plugin was registered twice in one context without a namespace. */
export const FST_RSP_REDIS_TWICE = createError(
  'FST_RSP_REDIS_TWICE', '@respite/redis is registered already', 500)

/** The given client is of no kind this package knows. */
export const FST_RSP_REDIS_CLIENT_UNKNOWN = createError<[string]>(
  'FST_RSP_REDIS_CLIENT_UNKNOWN', "option 'client' is no client of ioredis or node-redis: %s", 500)

/** With `boot: 'wait'`, Redis could not be reached, or refused us, in time. */
export const FST_RSP_REDIS_BOOT = createError<[string]>(
  'FST_RSP_REDIS_BOOT', 'Redis is not usable: %s', 500)

/** The breaker is open or there is no connection: the command was not sent. */
export const FST_RSP_REDIS_DOWN = createError<[string]>(
  'FST_RSP_REDIS_DOWN', "Redis is down, '%s' was not sent", 503)

/** No answer within the deadline; the command may have been executed. */
export const FST_RSP_REDIS_TIMEOUT = createError<[string, number]>(
  'FST_RSP_REDIS_TIMEOUT', "'%s' got no answer within %d ms", 503)

/** The connection broke before the answer came; the command may have been executed. */
export const FST_RSP_REDIS_LOST = createError<[string]>(
  'FST_RSP_REDIS_LOST', "the connection broke before '%s' was answered", 503)

/** The server answered with an error; `cause` holds it and `reply` its first word, such as READONLY. */
export const FST_RSP_REDIS_REPLY = createError<[string, string]>(
  'FST_RSP_REDIS_REPLY', "Redis refused '%s': %s", 503)

/** The app is closing. */
export const FST_RSP_REDIS_CLOSED = createError<[string]>(
  'FST_RSP_REDIS_CLOSED', "the link to Redis is closed, '%s' was not sent", 503)

/** A plugin needs a contract that no registered plugin provides. */
export const FST_RSP_CONTRACT_MISSING = createError<[string]>(
  'FST_RSP_CONTRACT_MISSING', "no plugin provides '%s'", 500)

/** Two plugins provide one contract. */
export const FST_RSP_CONTRACT_TAKEN = createError<[string]>(
  'FST_RSP_CONTRACT_TAKEN', "'%s' is provided already", 500)

/** A route uses a plugin's config, but was added before the plugin, which therefore does not see it. */
export const FST_RSP_ROUTE_BEFORE_PLUGIN = createError<[string, string, string, string]>(
  'FST_RSP_ROUTE_BEFORE_PLUGIN', '%s %s has config.%s, but was added before %s was registered: register the plugin first', 500)

/** A value cannot be sent over the bus. */
export const FST_RSP_BUS_NOT_SERIALISABLE = createError<[string]>(
  'FST_RSP_BUS_NOT_SERIALISABLE', "the message for topic '%s' cannot be written as JSON", 500)

/** A message is larger than the bus carries. */
export const FST_RSP_BUS_TOO_LARGE = createError<[string, number, number]>(
  'FST_RSP_BUS_TOO_LARGE', "the message for topic '%s' has %d bytes, the most is %d", 500)

/** A message does not fit the schema of its topic; the message names the place and the rule, never the value. */
export const FST_RSP_BUS_INVALID = createError<[string, string]>(
  'FST_RSP_BUS_INVALID', "the message for topic '%s' does not fit: %s", 500)

/** A subscription is to begin where none can. */
export const FST_RSP_BUS_FROM = createError<[string, string]>(
  'FST_RSP_BUS_FROM', 'a subscription cannot begin from %s: %s', 500)

/** Somebody else put an entry into the stream of a durable topic whose id is larger than any of ours can be; the topic goes on when the key is deleted. */
export const FST_RSP_BUS_FOREIGN_ID = createError<[string, string]>(
  'FST_RSP_BUS_FOREIGN_ID', "the stream of topic '%s' holds an entry that is none of its messages, %s", 500)

/** A queue holds as many jobs as it may; `maxPending` says how many. */
export const FST_RSP_BUS_QUEUE_FULL = createError<[string, number]>(
  'FST_RSP_BUS_QUEUE_FULL', "the queue '%s' is full: %d jobs wait or are at work", 503)

/** A queue is defined, or worked on, twice in one process. */
export const FST_RSP_BUS_QUEUE_TWICE = createError<[string, string]>(
  'FST_RSP_BUS_QUEUE_TWICE', "the queue '%s' is %s already in this process", 500)

/** What was given as the id of a dead letter is none; nothing was done with those beside it. */
export const FST_RSP_BUS_LETTER_ID_INVALID = createError<[string, string]>(
  'FST_RSP_BUS_LETTER_ID_INVALID', "'%s' is no id of a dead letter of the queue '%s'", 400)

/** A handler took longer than the deadline of its queue: the reason of the job's signal. */
export const FST_RSP_BUS_JOB_DEADLINE = createError<[string, number]>(
  'FST_RSP_BUS_JOB_DEADLINE', "a job of the queue '%s' took longer than %d ms", 500)

/** A job is no longer this worker's, whose lease had passed, or who is closing: the reason of the job's signal. */
export const FST_RSP_BUS_JOB_TAKEN = createError<[string]>(
  'FST_RSP_BUS_JOB_TAKEN', "a job of the queue '%s' is given to another worker", 500)

/** An entry of `clientIp.trust` is no address, range or name. */
export const FST_RSP_CLIENT_IP_TRUST = createError<[string]>(
  'FST_RSP_CLIENT_IP_TRUST', "clientIp.trust: '%s' is no address, no CIDR range, and none of loopback, private, unix", 500)

/** A metric is asked for as another kind, or with other labels, than it has. */
export const FST_RSP_METRIC_CONFLICT = createError<[string, string, string]>(
  'FST_RSP_METRIC_CONFLICT', "the metric '%s' is %s, not %s", 500)

/** A series is asked for with more or fewer values than its metric has labels. */
export const FST_RSP_METRIC_LABELS = createError<[string, number, number]>(
  'FST_RSP_METRIC_LABELS', "the metric '%s' has %d labels, not %d", 500)

/** A connection for messages or invalidations was given up and is made anew; seen in logs only. */
export const FST_RSP_SUBSCRIBER_LOST = createError<[string]>(
  'FST_RSP_SUBSCRIBER_LOST', 'the connection for messages was given up: %s', 503)

/** A duration is neither a number of milliseconds nor of the form `90s`. */
export const FST_RSP_DURATION_INVALID = createError<[string, string]>(
  'FST_RSP_DURATION_INVALID', "'%s' must be milliseconds or a duration such as '90s', got %s", 500)

/** Whether a failed command may have been executed all the same. */
export type Outcome = 'not-sent' | 'unknown' | 'refused'

/** What every failure of the link carries. */
export interface LinkError extends Error {
  code: string
  /** `not-sent`: certainly not executed. `refused`: the server answered with an error. `unknown`: no answer came. */
  outcome: Outcome
  /** The first word of the server's error, such as `READONLY`; only with `refused`. */
  reply?: string
}
