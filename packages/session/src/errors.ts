import createError from '@fastify/error'

/** The route needs a session, and the request has none. */
export const FST_RSP_SESSION_REQUIRED = createError(
  'FST_RSP_SESSION_REQUIRED', 'log in first', 401)

/** The route needs a log-in more recent than this session's. */
export const FST_RSP_SESSION_NOT_FRESH = createError<[number]>(
  'FST_RSP_SESSION_NOT_FRESH', 'log in again: the last log-in is older than %d ms', 401)

/** A request with a session cookie changes something and comes from another site. */
export const FST_RSP_SESSION_CROSS_ORIGIN = createError<[string]>(
  'FST_RSP_SESSION_CROSS_ORIGIN', '%s with a session cookie was sent from another origin', 403)

/** Neither store could be asked, or the one that must be asked did not answer; `cause` holds why. */
export const FST_RSP_SESSION_STORE_DOWN = createError<[string, ErrorOptions?]>(
  'FST_RSP_SESSION_STORE_DOWN', "the session store cannot be used for '%s' at the moment", 503)

/** The durable store did not answer in time; a change may have been made all the same. */
export const FST_RSP_SESSION_STORE_TIMEOUT = createError<[string, number]>(
  'FST_RSP_SESSION_STORE_TIMEOUT', "the durable store did not answer '%s' within %d ms", 503)

/** The user has as many sessions as `perUser.max` allows, and `onExceed` is `reject`. */
export const FST_RSP_SESSION_LIMIT = createError<[number]>(
  'FST_RSP_SESSION_LIMIT', 'this user has %d active sessions already', 409)

/** With `conflict: 'compare-and-set'`, another request has saved the session in between. */
export const FST_RSP_SESSION_CONFLICT = createError(
  'FST_RSP_SESSION_CONFLICT', 'the session was changed by another request', 409)

/** A value cannot be written as JSON. */
export const FST_RSP_SESSION_NOT_SERIALISABLE = createError<[string, ErrorOptions?]>(
  'FST_RSP_SESSION_NOT_SERIALISABLE', "session field '%s' cannot be written as JSON", 500)

/** The session's data would exceed `maxDataBytes`. */
export const FST_RSP_SESSION_TOO_LARGE = createError<[string, number, number]>(
  'FST_RSP_SESSION_TOO_LARGE', "with field '%s' the session would have %d bytes, the most is %d", 500)

/** A session holds at most 1000 fields. */
export const FST_RSP_SESSION_TOO_MANY_FIELDS = createError<[string, number]>(
  'FST_RSP_SESSION_TOO_MANY_FIELDS', "with field '%s' the session would have more than %d fields", 500)

/** A field's name is not a well-formed string of 1 to 200 characters. */
export const FST_RSP_SESSION_FIELD_INVALID = createError<[string]>(
  'FST_RSP_SESSION_FIELD_INVALID', 'the name of a session field must be a well-formed string of 1 to 200 characters, got %s', 500)

/** The route has `config.session: false`, and writes to the session. */
export const FST_RSP_SESSION_OFF = createError(
  'FST_RSP_SESSION_OFF', 'this route has config.session: false: its session cannot be written', 500)

/** A connection cannot end with a session that was not read. */
export const FST_RSP_SESSION_NOT_READ = createError(
  'FST_RSP_SESSION_NOT_READ', "this request's session was not read: closeWith and onEnd need a route without config.session: false, and the plugin '@respite/session'", 500)

/** `closeWith` was given something that cannot be closed. */
export const FST_RSP_SESSION_CONNECTION = createError<[string]>(
  'FST_RSP_SESSION_CONNECTION', "closeWith takes a WebSocket of 'ws', or a stream such as reply.raw, got %s", 500)

/** So many connections and listeners of a process wait for the end of their sessions that it takes no more. */
export const FST_RSP_SESSION_FOLLOWED_MAX = createError<[number]>(
  'FST_RSP_SESSION_FOLLOWED_MAX', 'this process follows the sessions of %d connections already', 503)

/** A visitor's session needs the cookie transport. */
export const FST_RSP_SESSION_NO_COOKIE = createError(
  'FST_RSP_SESSION_NO_COOKIE', "a visitor without a session sent data to keep, but 'transports' has no cookie", 500)

/** A user id is not a well-formed string of 1 to 191 characters. */
export const FST_RSP_SESSION_USER_INVALID = createError<[string]>(
  'FST_RSP_SESSION_USER_INVALID', 'a user id must be a well-formed string of 1 to 191 characters without NUL, got %s', 500)

/** The `session` of a route's config is none of `'required'`, `'optional'`, `false` and `{ fresh }`. */
export const FST_RSP_SESSION_ROUTE_INVALID = createError<[string, string, string]>(
  'FST_RSP_SESSION_ROUTE_INVALID', "%s %s: config.session must be 'required', 'optional', false or { fresh: '5m' }, got %s", 500)

/** The transport asked for at login is not among `transports`. */
export const FST_RSP_SESSION_TRANSPORT = createError<[string]>(
  'FST_RSP_SESSION_TRANSPORT', "transport '%s' is not among the option 'transports'", 500)

/** A login asked to be remembered, and there is no option `remember`; or said neither true nor false. */
export const FST_RSP_SESSION_REMEMBER = createError<[string]>(
  'FST_RSP_SESSION_REMEMBER', 'this login cannot be remembered: %s', 500)

/** A log-in was given an option that there is not, or one of another kind. */
export const FST_RSP_SESSION_LOGIN_OPTION = createError<[string]>(
  'FST_RSP_SESSION_LOGIN_OPTION', 'login: %s', 500)

/** What to end was not said in one of the four ways; nothing has ended. */
export const FST_RSP_SESSION_REVOKE_WHAT = createError<[string]>(
  'FST_RSP_SESSION_REVOKE_WHAT', 'revoke takes { id }, { id, userId }, { userId } or { userId, except }, got %s', 500)

/** `reply.rotate` came too late: another request has given the session a new secret, or it has ended. */
export const FST_RSP_SESSION_ROTATED = createError(
  'FST_RSP_SESSION_ROTATED', 'another request has given this session a new secret, or it has ended', 409)

/** There is no such event. */
export const FST_RSP_SESSION_EVENT_UNKNOWN = createError<[string]>(
  'FST_RSP_SESSION_EVENT_UNKNOWN', "sessions.on takes the name of an event, such as 'revoked', and a function, got %s", 500)

/** Over a Redis server sessions need a durable store, or to be told that there is none. */
export const FST_RSP_SESSION_DURABLE_MISSING = createError(
  'FST_RSP_SESSION_DURABLE_MISSING',
  "sessions in front of a Redis server need the option 'durable': postgresStore(pool), mysqlStore(pool), sqliteStore(file), or 'none' if they may end with what Redis holds", 500)

/** Sessions that outlive the process need secrets that do. */
export const FST_RSP_SESSION_SECRETS_MISSING = createError(
  'FST_RSP_SESSION_SECRETS_MISSING', "the option 'secrets' is missing: with a durable store, tokens must hold beyond a restart", 500)

/** Two options contradict each other. */
export const FST_RSP_SESSION_OPTIONS = createError<[string]>(
  'FST_RSP_SESSION_OPTIONS', '@respite/session: %s', 500)

/** The tables of the durable store are missing or of another version, and `migrate` is false. */
export const FST_RSP_SESSION_SCHEMA = createError<[string, string, string]>(
  'FST_RSP_SESSION_SCHEMA', "the durable store's schema is %s: run migration '%s' (%s prints it), or set migrate: true", 500)

/** On MySQL another process holds the lock of the migration. */
export const FST_RSP_SESSION_MIGRATION_LOCKED = createError<[number]>(
  'FST_RSP_SESSION_MIGRATION_LOCKED', "another process has been creating the durable store's tables for more than %d s", 503)

/** A pool of mysql2 makes connections under which sessions would not be what the store promises. */
export const FST_RSP_SESSION_MYSQL_POOL = createError<[string, string, string]>(
  'FST_RSP_SESSION_MYSQL_POOL', "mysqlStore(pool): the pool's connections have %s '%s', and sessions need %s", 500)

/** The SQLite driver cannot be loaded. */
export const FST_RSP_SESSION_DRIVER = createError<[string, ErrorOptions?]>(
  'FST_RSP_SESSION_DRIVER', "the SQLite driver '%s' cannot be loaded: install it beside @respite/session", 500)

/** This Node has no `node:sqlite`. */
export const FST_RSP_SESSION_NODE_SQLITE = createError<[string, string]>(
  'FST_RSP_SESSION_NODE_SQLITE', "sqliteStore's option driver: '%s' needs Node 22.13 or newer, this is %s; the default, 'libsql', needs neither", 500)

/** The worker thread of a SQLite store has ended. */
export const FST_RSP_SESSION_WORKER = createError<[string, ErrorOptions?]>(
  'FST_RSP_SESSION_WORKER', 'the SQLite worker has ended: %s', 503)

/** What the SQLite driver threw; `reply` is its code, such as SQLITE_BUSY. */
export const FST_RSP_SESSION_SQLITE = createError<[string, string]>(
  'FST_RSP_SESSION_SQLITE', '%s: %s', 503)

/** What lies in Redis under a session's key is not a copy; the durable store is asked instead. */
export const FST_RSP_SESSION_COPY_FOREIGN = createError<[string]>(
  'FST_RSP_SESSION_COPY_FOREIGN', 'what lies in Redis is no copy of a session: %s', 503)

/** A copy that must go has newer changes each time its row has been told of them; it is tried again. */
export const FST_RSP_SESSION_COPY_BUSY = createError(
  'FST_RSP_SESSION_COPY_BUSY', 'a session is saved faster than its changes reach the durable store', 503)

/** The store is closed; each app needs one of its own. */
export const FST_RSP_SESSION_STORE_CLOSED = createError(
  'FST_RSP_SESSION_STORE_CLOSED', 'the session store is closed', 503)

/** A `RespiteStore` was made of something that has no sessions of this package. */
export const FST_RSP_SESSION_STORE_APP = createError(
  'FST_RSP_SESSION_STORE_APP', "register the plugin of '@respite/session/store', or '@respite/session', before new RespiteStore(app)", 500)

/** A `RespiteStore` was given to express-session without option `express`. */
export const FST_RSP_SESSION_STORE_EXPRESS = createError(
  'FST_RSP_SESSION_STORE_EXPRESS', "for express-session, say so: new RespiteStore(app, { express: session }), with session from 'express-session'", 500)

/** The id under which a session is to be stored is no text. */
export const FST_RSP_SESSION_STORE_ID = createError<[string]>(
  'FST_RSP_SESSION_STORE_ID', 'the id of a session must be a string of one character or more, got %s', 500)
