import { defineOptions, type Duration } from '@respite/redis'
import { FST_RSP_SESSION_OPTIONS } from './errors.ts'
import type { ResolvedOptions } from './resolved-options.ts'
import type { SessionStore } from './stores/store.ts'

/** How a token travels. */
export type Transport = 'cookie' | 'bearer'

/** What happens to a save that another request's save came before. */
export type ConflictMode = 'merge' | 'last-wins' | 'compare-and-set'

/** Where a save goes: to the row and then to Redis, to Redis and later to the row, or to Redis alone. */
export type DataMode = 'through' | 'behind' | 'redis'

/** What the user gives to `app.register(session, …)`. */
export interface SessionOptions {
  /** Keys that sign tokens, 32 characters or more: the first signs, all verify. Required with a durable store. */
  secrets?: readonly string[]
  /** The authority; `'none'`: sessions live in Redis alone. Absent: they live in this process; only without a Redis server. */
  durable?: SessionStore | 'none'
  /** With `durable: 'none'`, what becomes of sessions after a restart or failover of Redis. @default 'end' */
  afterFailover?: 'end' | 'trust'
  /** Creates the tables at boot; false: a missing or older schema is a boot error. @default true */
  migrate?: boolean
  /** Active sessions a user, 1 to 10,000, and what a login beyond that does. @default { max: 1, onExceed: 'replace' } */
  perUser?: { max?: number, onExceed?: 'replace' | 'evict-oldest' | 'reject' }
  /** A session ends when no request came for this long: 1 s to a year. @default '30m' */
  idle?: Duration
  /** A session ends this long after its login: 1 s to a year. @default '12h' */
  absolute?: Duration
  /** The two ends of a session whose login says `remember: true`: 1 s to a year. Absent: no login may say so. */
  remember?: { idle: Duration, absolute: Duration }
  /** The idle end is prolonged at most this often. @default '1m' */
  touchEvery?: Duration
  /** A session in a cookie gets a new secret this often, up to a year; 0: never. @default '15m' */
  rotateEvery?: Duration
  /** How long the old secret still answers: 100 ms to an hour. @default '10s' */
  grace?: Duration
  /** How tokens may travel; the first is what `reply.login` uses unless told. @default ['cookie', 'bearer'] */
  transports?: readonly Transport[]
  /** What happens to a save that another one came before. @default 'merge' */
  conflict?: ConflictMode
  /** Where a save goes; the same in all instances. @default 'through' */
  data?: DataMode
  /** With `data: 'behind'`, how long after a save the row has it at the latest: 50 ms to an hour. @default '1m' */
  flushEvery?: Duration
  /** The most data a session holds, as JSON: 256 bytes to 16 MiB. @default 1048576 */
  maxDataBytes?: number
  /** The session cookie; HttpOnly always. @default { name: '__Host-sid', path: '/', secure: true, sameSite: 'lax', persistent: false } */
  cookie?: { name?: string, path?: string, domain?: string, secure?: boolean, sameSite?: 'lax' | 'strict' | 'none', persistent?: boolean }
  /** Refuses unsafe methods with a session cookie from another origin; `origins` lists those that may. @default true */
  csrf?: boolean | { origins?: readonly string[] }
  /** How often a process asks the durable store what Redis may not know: 50 ms or more. @default '1s' */
  pollEvery?: Duration
  /** How long such an answer lets it believe Redis: 100 ms or more. @default '3s' */
  trust?: Duration
  /** How long sessions found in Redis are served while the durable store is down. @default '1m' */
  durableDown?: Duration
  /** How long the durable store has for an answer: 50 ms or more. @default '2s' */
  durableDeadline?: Duration
  /** How often the durable store is asked for sessions of open connections: 100 ms to an hour. @default '30s' */
  recheckEvery?: Duration
  /** Sessions kept in this process without a durable store; beyond, the longest unused one ends. @default 100000 */
  maxSessions?: number
  /** Keeps copies of sessions in this process; `{}`: 10 s, 10,000 copies and 32 MiB at most. @default false */
  l1?: false | { maxAge?: Duration, maxItems?: number, maxBytes?: number }
}

const perUser = {
  type: 'object',
  description: 'How many sessions of one user are active at once, and what a login beyond that does: `replace` ends all others (only with max 1), `evict-oldest` the oldest, `reject` is refused',
  additionalProperties: false,
  properties: {
    max: { type: 'integer', minimum: 1, maximum: 10_000, default: 1, description: 'Active sessions a user' },
    onExceed: { enum: ['replace', 'evict-oldest', 'reject'], default: 'replace', description: 'What a login beyond `max` does' }
  },
  default: {}
}

const cookie = {
  type: 'object',
  description: 'The session cookie; HttpOnly is always set',
  additionalProperties: false,
  properties: {
    name: { type: 'string', pattern: "^[!#$%&'*+.^_`|~\\w-]{1,100}$", default: '__Host-sid', description: 'Name; `__Host-` binds the cookie to the host, and asks for secure, path / and no domain' },
    path: { type: 'string', pattern: '^/[\\x21-\\x3A\\x3C-\\x7E]*$', default: '/', description: 'Path' },
    domain: { type: 'string', pattern: '^[\\w.-]+$', description: 'Domain; none: the host alone' },
    secure: { type: 'boolean', default: true, description: 'Sent over HTTPS only; browsers count http://localhost as such' },
    sameSite: { enum: ['lax', 'strict', 'none'], default: 'lax', description: 'SameSite' },
    persistent: { type: 'boolean', default: false, description: 'Kept when the browser is closed, until the absolute end' }
  },
  default: {}
}

const csrf = {
  description: 'Refuses unsafe methods with a session cookie from another origin; `{ origins }` lists further origins that may, such as `https://app.example.org`',
  anyOf: [
    { type: 'boolean' },
    {
      type: 'object',
      additionalProperties: false,
      required: ['origins'],
      properties: {
        origins: { type: 'array', items: { type: 'string', pattern: '^https?://[^/]+$' }, description: 'Further origins whose unsafe requests are taken' }
      }
    }
  ],
  default: true
}

const remember = {
  type: 'object',
  description: 'The two ends of a session whose login says `remember: true`; its cookie stays until the absolute one. Absent: no login may say so',
  additionalProperties: false,
  required: ['idle', 'absolute'],
  properties: {
    idle: { duration: true, minimumMs: 1_000, maximumMs: 31_536_000_000, description: 'As `idle`, for a remembered session: what it is at its login it stays' },
    absolute: { duration: true, minimumMs: 1_000, maximumMs: 31_536_000_000, description: 'As `absolute`, for a remembered session' }
  }
}

const l1 = {
  type: ['boolean', 'object'],
  description: 'Keeps copies of sessions in this process, so that a read-only request asks nobody; `{}` for the bounds below. They end when the server says so: a moment after the end of the session. Needs a Redis server with CLIENT TRACKING',
  additionalProperties: false,
  properties: {
    maxAge: { duration: true, minimumMs: 1, maximumMs: 3_600_000, default: '10s', description: 'How long a copy is used at most: bounds what a loss that nobody noticed could do' },
    maxItems: { type: 'integer', minimum: 1, maximum: 10_000_000, default: 10_000, description: 'Most copies' },
    maxBytes: { type: 'integer', minimum: 10_000, default: 33_554_432, description: 'Most bytes of them: two a character, and 1,000 for each copy' }
  },
  default: false
}

/** Every option with its type, bound and default. */
export const optionsSchema = {
  properties: {
    secrets: {
      type: 'array',
      minItems: 1,
      maxItems: 8,
      secret: true,
      items: { type: 'string', minLength: 32, secret: true },
      description: 'Keys that sign tokens, 32 characters or more: the first signs, all verify. Required with a durable store'
    },
    durable: {
      anyOf: [{ enum: ['none'] }, { instance: 'object' }],
      description: "The authority: `postgresStore(pool)`, `mysqlStore(pool)` or `sqliteStore(file)`; `'none'`: sessions live in Redis alone, and end with its data. Absent: sessions live in this process; only without a Redis server"
    },
    afterFailover: { enum: ['end', 'trust'], default: 'end', description: "With `durable: 'none'`, after a restart or failover of Redis: all sessions end, or those it still has go on, with those whose end it has lost" },
    migrate: { type: 'boolean', default: true, description: 'Creates the tables at boot; false: a missing or older schema is a boot error that names the migration' },
    perUser,
    idle: { duration: true, minimumMs: 1_000, maximumMs: 31_536_000_000, default: '30m', description: 'A session ends when no request came for this long' },
    absolute: { duration: true, minimumMs: 1_000, maximumMs: 31_536_000_000, default: '12h', description: 'A session ends this long after login, whatever happens' },
    remember,
    touchEvery: { duration: true, minimumMs: 0, default: '1m', description: 'The idle deadline is prolonged at most this often' },
    rotateEvery: { duration: true, minimumMs: 0, maximumMs: 31_536_000_000, default: '15m', description: 'A session in a cookie gets a new secret this often; 0: never. Bearer tokens keep theirs' },
    grace: { duration: true, minimumMs: 100, maximumMs: 3_600_000, default: '10s', description: 'How long the old secret still answers, for requests on their way; used later, it ends the session' },
    transports: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { enum: ['cookie', 'bearer'] },
      default: ['cookie', 'bearer'],
      description: 'How tokens may travel; the first is what `reply.login` uses unless told'
    },
    conflict: {
      enum: ['merge', 'last-wins', 'compare-and-set'],
      default: 'merge',
      description: 'Two requests save at once: fields are merged, the last save replaces all, or the second is refused with 409'
    },
    data: {
      enum: ['through', 'behind', 'redis'],
      default: 'through',
      description: 'Where a save goes: the row first, then Redis; Redis first, and the row later; or Redis alone, while the row keeps the data of the login. The same in all instances'
    },
    flushEvery: { duration: true, minimumMs: 50, maximumMs: 3_600_000, default: '1m', description: "With data 'behind': how long after a save the row has it at the latest" },
    maxDataBytes: { type: 'integer', minimum: 256, maximum: 16_777_216, default: 1_048_576, description: 'The most data a session holds, as JSON' },
    cookie,
    csrf,
    pollEvery: { duration: true, minimumMs: 50, default: '1s', description: 'How often a process asks the durable store what Redis may not know' },
    trust: { duration: true, minimumMs: 100, default: '3s', description: 'How long such an answer lets it believe Redis; a logout that Redis did not acknowledge takes this long' },
    durableDown: { duration: true, minimumMs: 0, default: '1m', description: 'How long sessions found in Redis are served while the durable store is down' },
    durableDeadline: { duration: true, minimumMs: 50, default: '2s', description: 'How long the durable store has for an answer' },
    recheckEvery: { duration: true, minimumMs: 100, maximumMs: 3_600_000, default: '30s', description: 'How often the durable store is asked whether the sessions of open connections still live, also when no message said otherwise' },
    maxSessions: { type: 'integer', minimum: 1, default: 100_000, description: 'Sessions kept in this process without a durable store; beyond, the longest unused one ends' },
    l1
  }
}

const check = defineOptions<SessionOptions, ResolvedOptions>('@respite/session', optionsSchema)

/** @throws FST_RSP_OPTION_INVALID, FST_RSP_SESSION_OPTIONS */
export function resolveOptions (given: SessionOptions | undefined): Readonly<ResolvedOptions> {
  const options = check(given)
  const complaint = contradiction(options)
  if (complaint !== undefined) throw new FST_RSP_SESSION_OPTIONS(complaint)
  return options
}

function contradiction (options: ResolvedOptions): string | undefined {
  const { durable, afterFailover, perUser, cookie, idle, absolute, remember, touchEvery, rotateEvery, grace, conflict, data, pollEvery, trust, durableDown, l1 } = options
  if (typeof durable === 'object' && typeof durable.open !== 'function') return `durable must be a store such as postgresStore(pool), got ${Array.isArray(durable) ? 'an array' : `a ${String((durable as object).constructor?.name)}`}`
  if (perUser.onExceed === 'replace' && perUser.max > 1) return `perUser.onExceed 'replace' ends all other sessions: with max ${perUser.max} say 'evict-oldest' or 'reject'`
  if (cookie.name.startsWith('__Host-') && (!cookie.secure || cookie.path !== '/' || cookie.domain !== undefined)) {
    return `cookie.name '${cookie.name}' asks for secure: true, path '/' and no domain`
  }
  if (cookie.name.startsWith('__Secure-') && !cookie.secure) return `cookie.name '${cookie.name}' asks for secure: true`
  if (cookie.sameSite === 'none' && !cookie.secure) return "cookie.sameSite 'none' asks for secure: true"
  if (touchEvery >= idle) return `touchEvery (${touchEvery} ms) must be below idle (${idle} ms), or sessions end while they are used`
  if (idle > absolute) return `idle (${idle} ms) must not exceed absolute (${absolute} ms)`
  if (remember !== undefined && touchEvery >= remember.idle) return `touchEvery (${touchEvery} ms) must be below remember.idle (${remember.idle} ms), or sessions end while they are used`
  if (remember !== undefined && remember.idle > remember.absolute) return `remember.idle (${remember.idle} ms) must not exceed remember.absolute (${remember.absolute} ms)`
  if (rotateEvery > 0 && grace >= rotateEvery) return `grace (${grace} ms) must be below rotateEvery (${rotateEvery} ms)`
  if (afterFailover === 'trust' && durable !== 'none') return "afterFailover 'trust' is for durable: 'none' alone: a durable store knows which sessions have ended"
  if (l1 !== false && durable === 'none') return "l1 needs a durable store: with durable 'none' Redis is the authority, and is asked each time"
  if (data !== 'through' && durable === 'none') return `data '${data}' is for a durable store beside Redis: with durable 'none' there is no row that could be written later`
  if (data !== 'through' && conflict === 'compare-and-set') {
    return `data '${data}' saves into Redis first, and conflict 'compare-and-set' compares with the row: say 'merge' or 'last-wins', or data 'through'`
  }
  if (trust <= pollEvery) return `trust (${trust} ms) must exceed pollEvery (${pollEvery} ms)`
  if (durableDown > 0 && durableDown < trust) return `durableDown (${durableDown} ms) must be 0 or at least trust (${trust} ms)`
  if (l1 === true) return 'l1 true has no bounds: say { maxAge, maxItems, maxBytes }, or {} for their defaults'
  return undefined
}
