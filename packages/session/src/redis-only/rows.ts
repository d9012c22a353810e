import type { LiveSession, LivingRow, SessionInfo } from '../stores/store.ts'
import type { LedgerRead } from './ledgers.ts'
import { tagOf } from './room.ts'

/** A row of a ledger; times by Redis' clock. */
interface Row { readonly i: string, readonly q: number, readonly c: number, readonly d: number, readonly z: number, readonly m?: number }

/** Of a flat list: name, value, name, value, … */
export function pairsOf (flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!])
  return pairs
}

/** A session as it was read. */
export function liveOf (hash: string, [, sid, user, leftMs, capped, authAgeMs, issuedAgeMs, data, rememberMs, endLeftMs]: Extract<LedgerRead, ['LIVE', ...unknown[]]>, superseded: boolean): LiveSession {
  const fields = new Map<string, string>()
  let version = 0
  for (const [name, value] of pairsOf(data)) {
    if (name.startsWith('f:')) fields.set(name.slice(2), value)
    else if (name === 'v') version = Number(value)
  }
  return { hash, sid, userId: user === '' ? undefined : user, version, fields, leftMs, capped: capped === 1, rememberMs: rememberMs === 0 ? undefined : rememberMs, endLeftMs, authAgeMs, issuedAgeMs, flushedSeq: 0, superseded }
}

/** What `list` says of an owner's sessions that are alive: the user's id, Redis' time in ms, then each hash with its row. */
export type Listed = readonly [userId: string, nowMs: number, ...rows: string[]] | readonly []

/** The sessions of an owner, by their public ids. */
export function livingOf ([userId = '', nowMs = 0, ...listed]: Listed, owner: string): [sid: string, LivingRow][] {
  const tag = tagOf({ owner, userId: userId === '' ? undefined : userId })
  return pairsOf(listed).map(([hash, json]) => {
    const { i, d, z, m } = JSON.parse(json) as Row
    return [i, { hash, tag, leftMs: d - nowMs, capped: d >= z, rememberMs: m }]
  })
}

/** A user's sessions, the latest log-in first. */
export function infosOf ([userId = '', , ...listed]: Listed): readonly SessionInfo[] {
  if (userId === '') return []
  return pairsOf(listed).map(([, json]) => JSON.parse(json) as Row).sort((a, b) => b.q - a.q).map(({ i, c, d, z, m }) => {
    const createdAt = new Date(c)
    return { id: i, userId, createdAt, authenticatedAt: createdAt, remembered: m !== undefined, idleUntil: new Date(d), expiresAt: new Date(z) }
  })
}
