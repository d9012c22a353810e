export {
  FST_RSP_SESSION_CONFLICT, FST_RSP_SESSION_CONNECTION, FST_RSP_SESSION_COPY_BUSY, FST_RSP_SESSION_COPY_FOREIGN, FST_RSP_SESSION_CROSS_ORIGIN, FST_RSP_SESSION_DRIVER,
  FST_RSP_SESSION_DURABLE_MISSING, FST_RSP_SESSION_EVENT_UNKNOWN, FST_RSP_SESSION_FIELD_INVALID, FST_RSP_SESSION_FOLLOWED_MAX, FST_RSP_SESSION_LIMIT,
  FST_RSP_SESSION_LOGIN_OPTION, FST_RSP_SESSION_MIGRATION_LOCKED, FST_RSP_SESSION_MYSQL_POOL, FST_RSP_SESSION_NODE_SQLITE, FST_RSP_SESSION_NOT_FRESH, FST_RSP_SESSION_NOT_READ,
  FST_RSP_SESSION_NOT_SERIALISABLE, FST_RSP_SESSION_NO_COOKIE, FST_RSP_SESSION_OFF, FST_RSP_SESSION_OPTIONS, FST_RSP_SESSION_REMEMBER, FST_RSP_SESSION_REQUIRED,
  FST_RSP_SESSION_REVOKE_WHAT, FST_RSP_SESSION_ROTATED, FST_RSP_SESSION_ROUTE_INVALID, FST_RSP_SESSION_SCHEMA, FST_RSP_SESSION_SECRETS_MISSING, FST_RSP_SESSION_SQLITE,
  FST_RSP_SESSION_STORE_APP, FST_RSP_SESSION_STORE_CLOSED, FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_EXPRESS, FST_RSP_SESSION_STORE_ID,
  FST_RSP_SESSION_STORE_TIMEOUT, FST_RSP_SESSION_TOO_LARGE, FST_RSP_SESSION_TOO_MANY_FIELDS, FST_RSP_SESSION_TRANSPORT, FST_RSP_SESSION_USER_INVALID,
  FST_RSP_SESSION_WORKER
} from './errors.ts'
export { type FollowOptions } from './http/following.ts'
export { type LoginOptions } from './http/login-options.ts'
export { type Session, type SessionData, type SessionValue } from './http/request-session.ts'
export { type RouteSession } from './http/route-plan.ts'
export { type LoginReply } from './http/session-reply.ts'
export { type SessionConnection, type StreamLike, type WebSocketLike } from './http/session-connection.ts'
export { type ConflictMode, type DataMode, type SessionOptions, type Transport } from './options.ts'
export { session as default, session } from './plugin.ts'
export { type SessionEndListener, type SessionEndReason } from './session-ends.ts'
export { type SessionEvent, type SessionEventName, type SessionListener } from './session-events.ts'
export { type RevokeWhat, type Sessions } from './sessions.ts'
export { migrationSql } from './sql/schema.ts'
export { type MysqlConnectionLike, type MysqlPoolLike, mysqlStore } from './sql/mysql.ts'
export { type PgliteLike, type PgPoolLike, postgresStore } from './sql/postgres.ts'
export { sqliteStore, type SqliteOptions } from './sql/sqlite.ts'
export { type FlushRequest, type FlushResult, type UnsavedField } from './stores/flush.ts'
export { type SessionInfo, type SessionStore } from './stores/store.ts'
