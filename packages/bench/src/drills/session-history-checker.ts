import { brokenRotations, doubtfulFrom, mayBeSuperseded, type RotationHistory } from './session-rotations.ts'

/** Something that was called. Times in ms of one clock of the machine; not resolved: nobody knows whether it happened. */
interface Call { readonly op: string, readonly calledAt: number, readonly resolvedAt?: number }

/** A login of a user; the session it made is known once it resolved. */
export interface Login extends Call { readonly user: string, readonly sid?: string }

/** The end of a user's sessions: of one, of all but one, or of all; `ended` are those the call said it had ended. */
export interface Ending extends Call { readonly user: string, readonly sid?: string, readonly except?: string, readonly ended?: readonly string[] }

/** A field that was set, to a value that no other save has. */
export interface Save extends Call { readonly sid: string, readonly field: string, readonly value: number }

/** A request and how it was answered. */
export interface Asked {
  readonly process: number
  readonly user: string
  /** The session whose token it showed, or what was no token of a session. */
  readonly shown: string | { readonly bad: 'forged' | 'neverIssued' | 'none' }
  readonly beganAt: number
  readonly endedAt: number
  readonly answer: 'accepted' | 'refused' | 'failed'
  /** Who the app took it for. */
  readonly as?: { readonly user: string, readonly sid: string }
  readonly fields?: Readonly<Record<string, number>>
  /** By cookie, which of the session's secrets it showed: the first is 0. */
  readonly generation?: number
  /** By cookie, its name among those that were begun. */
  readonly op?: string
}

/** A user's active sessions as the app listed them. */
export interface Listed { readonly process: number, readonly user: string, readonly beganAt: number, readonly sids: readonly string[] }

/** A process told its listeners that a session has ended, or that a superseded secret of it was used. */
export interface Told { readonly what: 'reuse' | 'revoked', readonly sid: string, readonly at: number }

export interface SessionHistory extends RotationHistory {
  readonly logins: readonly Login[]
  readonly endings: readonly Ending[]
  readonly saves: readonly Save[]
  readonly asked: readonly Asked[]
  readonly listed: readonly Listed[]
  readonly told: readonly Told[]
  readonly keysWithoutExpiry: readonly string[]
  /** After a save that Redis did not acknowledge, older data may be read for so long. */
  readonly trustMs: number
}

/** What was broken, each with its events. */
export function brokenPromises (history: SessionHistory): string[] {
  const lives = livesOf(history)
  const superseded = mayBeSuperseded(history)
  return [
    ...history.asked.flatMap(asked => wrongAnswer(asked, lives, superseded)),
    ...history.listed.flatMap(listed => wrongList(listed, lives)),
    ...twoActive(history, lives),
    ...fieldsOf(history).lost,
    ...brokenRotations(history),
    ...history.keysWithoutExpiry.map(key => `(expiry) key ${key} has none`)
  ]
}

/** Reads of a field that was older than a save confirmed before, within the time in which that may be. */
export function olderReads (history: SessionHistory): number {
  return fieldsOf(history).older
}

/** What the calls say about one session. */
interface Life {
  readonly login: Login
  /** The first call after which nobody may accept it. */
  readonly end: (Call & { readonly resolvedAt: number }) | undefined
  /** Nothing that was called before this can have ended it. */
  readonly aliveUntil: number
}

/** What nobody knows the outcome of has happened after this time, or never will: far above every deadline. */
const unknownForMs = 10_000

function livesOf (history: SessionHistory): ReadonlyMap<string, Life> {
  const { logins, endings, told } = history
  const doubtful = doubtfulFrom(history)
  const toldOf = groupBy(told.filter(({ what }) => what === 'revoked'), ({ sid }) => sid)
  const ofUser = groupBy(logins, login => login.user)
  const endingsOf = groupBy(endings, ending => ending.user)
  const lives = new Map<string, Life>()
  for (const login of logins) {
    const { sid, user, resolvedAt } = login
    if (sid === undefined || resolvedAt === undefined) continue
    const others = ofUser.get(user)!.filter(other => other !== login)
    const meant = (endingsOf.get(user) ?? []).filter(ending => ending.sid === undefined ? ending.except !== sid : ending.sid === sid)
    const certain = [...others, ...meant.filter(ending => ending.sid === undefined)].filter(call => call.calledAt > resolvedAt)
    const named = meant.filter(ending => ending.sid === sid || ending.ended?.includes(sid) === true)
    const possible = [...others, ...meant].filter(call => (call.resolvedAt ?? call.calledAt + unknownForMs) > login.calledAt)
    const heard = (toldOf.get(sid) ?? []).map(({ what, at }) => ({ op: what, calledAt: at, resolvedAt: at }))
    const aliveUntil = Math.min(doubtful.get(sid) ?? Infinity, ...possible.map(call => call.calledAt))
    lives.set(sid, { login, end: first([...certain, ...named, ...heard]), aliveUntil })
  }
  return lives
}

function first (calls: readonly Call[]): (Call & { readonly resolvedAt: number }) | undefined {
  let least: Call | undefined
  for (const call of calls) if (call.resolvedAt !== undefined && call.resolvedAt < (least?.resolvedAt ?? Infinity)) least = call
  return least as Call & { resolvedAt: number } | undefined
}

function wrongAnswer (asked: Asked, lives: ReadonlyMap<string, Life>, superseded: (asked: Asked) => boolean): string[] {
  const { shown, answer, as } = asked
  if (typeof shown !== 'string') return answer === 'accepted' ? [`(failure) a token that was ${shown.bad} is accepted: ${told(asked)}`] : []
  const life = lives.get(shown)
  if (answer === 'accepted') {
    if (as?.user !== asked.user || as.sid !== shown) return [`(failure) a request is taken for somebody else: ${told(asked)}`]
    return life?.end !== undefined && asked.beganAt > life.end.resolvedAt ? [`(ended) accepted after its end: ${told(asked)}, ended by ${told(life.end)}`] : []
  }
  if (answer === 'refused' && life !== undefined && asked.beganAt > life.login.resolvedAt! && asked.endedAt < life.aliveUntil && !superseded(asked)) {
    return [`(alive) refused though nothing had ended it: ${told(asked)}, made by ${told(life.login)}`]
  }
  return []
}

function wrongList (listed: Listed, lives: ReadonlyMap<string, Life>): string[] {
  if (listed.sids.length > 1) return [`(one) more than one is active: ${told(listed)}`]
  const end = lives.get(listed.sids[0] ?? '')?.end
  return end !== undefined && listed.beganAt > end.resolvedAt ? [`(ended) listed after its end: ${told(listed)}, ended by ${told(end)}`] : []
}

/** Two logins at once: once both have resolved, only one of their sessions may be accepted. */
function twoActive ({ asked }: SessionHistory, lives: ReadonlyMap<string, Life>): string[] {
  const last = new Map<string, Asked>()
  for (const request of asked) {
    const { shown, answer, beganAt } = request
    if (answer === 'accepted' && typeof shown === 'string' && beganAt > (last.get(shown)?.beganAt ?? -Infinity)) last.set(shown, request)
  }
  const broken: string[] = []
  for (const [, of] of groupBy(lives.values(), life => life.login.user)) {
    of.sort((a, b) => a.login.calledAt - b.login.calledAt)
    for (const [i, { login: a }] of of.entries()) {
      for (let j = i + 1; j < of.length && of[j]!.login.calledAt < a.resolvedAt!; j++) {
        const b = of[j]!.login
        const both = Math.max(a.resolvedAt!, b.resolvedAt!)
        const [seenA, seenB] = [last.get(a.sid!), last.get(b.sid!)]
        if (seenA !== undefined && seenB !== undefined && Math.min(seenA.beganAt, seenB.beganAt) > both) {
          broken.push(`(one) two logins at once and both are accepted: ${[a, b, seenA, seenB].map(told).join(', ')}`)
        }
      }
    }
  }
  return broken
}

function fieldsOf ({ saves, asked, trustMs }: SessionHistory): { lost: string[], older: number } {
  const ofField = groupBy(saves, save => `${save.sid} ${save.field}`)
  const byValue = new Map(saves.map(save => [save.value, save]))
  const lost: string[] = []
  let older = 0
  for (const request of asked) {
    if (request.answer !== 'accepted' || request.fields === undefined || typeof request.shown !== 'string') continue
    for (const [field, writes] of fieldsOfSession(ofField, request.shown)) {
      const value = request.fields[field]
      const written = value === undefined ? undefined : byValue.get(value)
      if (value !== undefined && (written === undefined || written.sid !== request.shown || written.field !== field || written.calledAt > request.endedAt)) {
        lost.push(`(field) ${field} has a value that nobody set: ${told(request)}`)
        continue
      }
      // Replaced for certain: by a save that began when this one had been confirmed.
      const replacedAt = written === undefined ? -Infinity : written.resolvedAt ?? Infinity
      const newer = writes.find(save => save.calledAt > replacedAt && save.resolvedAt !== undefined && save.resolvedAt < request.beganAt)
      if (newer === undefined) continue
      if (newer.resolvedAt! < request.beganAt - trustMs) lost.push(`(field) ${field} is older than what was confirmed: ${told(request)}, saved by ${told(newer)}`)
      else older++
    }
  }
  return { lost, older }
}

/** The fields that sessions have. */
export const fieldNames = ['f0', 'f1', 'f2', 'f3']

function fieldsOfSession (ofField: ReadonlyMap<string, readonly Save[]>, sid: string): [string, readonly Save[]][] {
  return fieldNames.map(field => [field, ofField.get(`${sid} ${field}`) ?? []])
}

function groupBy<Key, It> (all: Iterable<It>, keyOf: (it: It) => Key): Map<Key, It[]> {
  const groups = new Map<Key, It[]>()
  for (const it of all) {
    const key = keyOf(it)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [it])
    else group.push(it)
  }
  return groups
}

const told = (event: object): string => JSON.stringify(event)
