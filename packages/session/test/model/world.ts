import type { Lease, ModelRedis, ScriptsModel } from '../lua/scripts-model.ts'

/** What the protocol does on purpose; a scene that leaves one out must break. */
export type Guard =
  'the durable store goes first' | 'a fill asks for its lease' | 'a kill advances the gate' | 'Redis is believed within one era' |
  'a lineage is random' | 'activate asks for its lease' | 'what Redis did not acknowledge is pending and waited for' |
  'a row stays until Redis has acknowledged' | 'trust counts from when the poll was sent' | 'a late poll gives no trust' |
  'a save never creates' | 'a save extends the version before it' | 'a superseded copy goes' | 'a save follows to the successor' |
  'a revoke ends the family' | 'a login locks its owner' | 'only a read sent later is shared' |
  'a local copy is kept under a mark' | 'local copies end with the word' | 'a local copy is believed as Redis is' | 'an own change ends a local copy at once' |
  'a local copy is of one era'

/** A call under way: a step of it is one transaction, one script, or one thing that a process does by itself. */
export type Plan = { readonly process: number, /** Begins when that call is over. */ readonly after?: number } & (
  { readonly op: 'request' | 'logout' | 'login' | 'touch', readonly hash: string } |
  { readonly op: 'save', readonly hash: string, readonly field: string, readonly value: string } |
  { readonly op: 'rotate', readonly hash: string, readonly next: string } |
  { readonly op: 'sweep' | 'poll', readonly hash?: never }
)

/** Faults that may happen, each this often. A process may lose its trust at any time after a commit. */
export interface Luck {
  crash: number
  timeout: number
  sqlError: number
  wipe: number
  eviction: number
  replication: number
  failover: number
  tick: number
  /** The connection on which the server speaks is lost. */
  loss: number
  /** A failover that breaks no connection: a proxy, or an old primary that is one again. */
  handover: number
}

/** The bounds of one walk. */
export interface Scene {
  readonly processes?: number
  readonly calls: readonly Plan[]
  readonly luck: Partial<Luck>
  /** Sessions that are there at the start, the first login first. @default ['A'] */
  readonly rows?: readonly string[]
  /** Whether Redis has copies of them at the start. @default true */
  readonly cached?: boolean
  /** `perUser.max` and whether a further login is refused. @default 1 */
  readonly max?: number
  /** Whether processes keep local copies. */
  readonly l1?: boolean
  readonly reject?: boolean
  /** Fields that must be there when all saves are acknowledged. */
  readonly fields?: readonly string[]
  readonly without?: Guard
}

export interface Row { sid: string, epoch: number, dead: boolean, pend: number, until: number, next: string, version: number, data: Record<string, string> }

/** A command that names its script and what goes with it. */
export type Command = { [Name in 'read' | 'fill' | 'kill' | 'activate' | 'save' | 'touch' | 'rotate' | 'bury']: readonly [Name, ...Parameters<ScriptsModel[Name]>] }[
  'read' | 'fill' | 'kill' | 'activate' | 'save' | 'touch' | 'rotate' | 'bury']

/** A call in flight: between any two of its steps anything else may happen. */
export interface Call {
  step: string
  outcome?: string
  lease?: Lease
  /** What an accept would break; '' if it may be accepted. */
  forbidden?: string
  /** Whether an answer of Redis may be kept, and of which era it is. */
  marked?: boolean
  era?: number
  /** The row as it was read or written. */
  row?: { version: number, data: Record<string, string>, until: number }
  /** The row that took a save. */
  target?: string
  hashes?: string[]
  /** Of a rotated or logged out session: every hash it ever had. */
  family?: string[]
  /** Of pending rows, as they were seen. */
  seen?: { hash: string, dead: boolean, pend: number }[]
  epoch?: number
  /** The number of its commit; of a poll, of the last one it saw. */
  commit?: number
}

export interface Process { trusts: boolean, /** The last commit that its poll has seen. */ polled: number, bypass: string[], near?: Near }

/** What a process with local copies holds. */
export interface Near {
  /** Until when each is kept, and of which era it is. */
  kept: Record<string, { until: number, era: number }>
  /** Keys of which the server has said something that is on its way; `u` is the gate. */
  told: string[]
  /** `lost`: what the server says does not arrive, and nobody has noticed. */
  word: 'armed' | 'lost' | 'unarmed'
  /** What this process has ended itself. */
  ended: string[]
}

export interface World {
  broken: string
  now: number
  era: number
  redis: ModelRedis
  /** What a replica has: a failover to it loses the rest. */
  replica: ModelRedis | null
  rows: Record<string, Row>
  epoch: number
  commits: number
  issued: string[]
  processes: Process[]
  calls: Call[]
  /** Commands that have timed out: each may run at any later time, or never. */
  late: Command[]
  /** What a hash that was ended breaks if it is accepted after. */
  ended: Record<string, string>
  /** When the grace of a superseded hash is over. */
  graceEnds: Record<string, number>
  /** The last commit whose wait is over: a poll from before it gives no trust. */
  waited: number
  luck: Luck
}

/** How long a session lives unused, and a superseded one: in ticks. */
export const idle = 3
export const grace = 1
/** An id that no store has issued. */
export const unknownHash = 'Q'

export function worldOf ({ processes = 2, calls, luck, rows = ['A'], cached = true, l1 = false }: Scene): World {
  const lineage = 'n'
  return {
    broken: '',
    now: 0,
    era: 1,
    redis: {
      gate: cached ? { n: lineage, g: 0, e: '1' } : null,
      copies: cached ? Object.fromEntries(rows.map(hash => [hash, { n: lineage, v: 1, f: {}, until: idle }])) : {}
    },
    replica: null,
    rows: Object.fromEntries(rows.map((hash, i) => [hash, { sid: hash, epoch: i + 1, dead: false, pend: 0, until: idle, next: '', version: 1, data: {} }])),
    epoch: rows.length,
    commits: 0,
    issued: [...rows],
    processes: Array.from({ length: processes }, () => ({ trusts: true, polled: 0, bypass: [], ...l1 && { near: newNear() } })),
    calls: calls.map(() => ({ step: 'idle' })),
    late: [],
    ended: {},
    graceEnds: {},
    waited: 0,
    luck: { crash: 0, timeout: 0, sqlError: 0, wipe: 0, eviction: 0, replication: 0, failover: 0, tick: 0, loss: 0, handover: 0, ...luck }
  }
}

export const newNear = (): Near => ({ kept: {}, told: [], word: 'armed', ended: [] })
export const isAlive = (row: Row | undefined, now: number): row is Row => row !== undefined && !row.dead && row.until > now
/** The rows that live, the first login first. */
export const living = ({ rows, now }: World): [string, Row][] => Object.entries(rows).filter(([, row]) => isAlive(row, now)).sort(([, a], [, b]) => a.epoch - b.epoch)
export const pendingOf = ({ rows }: World): string[] => Object.keys(rows).filter(hash => rows[hash]!.pend > 0).sort()
