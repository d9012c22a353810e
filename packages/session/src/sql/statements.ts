import { peerPrefix, tombstonePrefix } from '../stores/sid-prefixes.ts'
import type { Dialect } from './dialect.ts'

/** The statements of the store, as a database writes them. */
export function statementsFor ({ now, orLeave }: Dialect) {
  const alive = (of = '') => `${of}dead = 0 AND ${of}idle_ms > ${now} AND ${of}end_ms > ${now}`
  const end = 'UPDATE respite_session SET dead = 1, pend = ver + 1, ver = ver + 1 WHERE owner = ? AND dead = 0'
  const visitorWithout = 'user_id IS NULL AND NOT EXISTS (SELECT 1 FROM respite_session s WHERE s.owner = respite_owner.owner)'
  return {
    tagOf: 'SELECT tag FROM respite_owner WHERE owner = ?',
    lock: 'UPDATE respite_owner SET epoch = epoch + 1 WHERE owner = ?',
    addOwner: `INSERT INTO respite_owner (owner, tag, user_id, epoch) VALUES (?, ?, ?, 0) ${orLeave}`,
    locked: 'SELECT tag, epoch FROM respite_owner WHERE owner = ?',
    aliveOrDead: `SELECT hash, sid, dead FROM respite_session WHERE owner = ? AND (dead = 1 OR (${alive()})) ORDER BY epoch`,
    rowsOfOwner: 'SELECT hash, sid, dead FROM respite_session WHERE owner = ? ORDER BY epoch',
    endMany: (n: number) => `${end} AND sid IN (${list(n)})`,
    add: `INSERT INTO respite_session (hash, sid, owner, tag, user_id, epoch, created_ms, auth_ms, issued_ms, idle_ms, end_ms, remember_ms, next_hash, dead, pend, ver, data)
VALUES (?, ?, ?, ?, ?, ?, ${now}, ${now}, ${now}, ${now} + ?, ${now} + ?, ?, NULL, 0, 0, 1, ?)`,
    endAll: end,
    endOne: `${end} AND sid = ?`,
    endOthers: `${end} AND sid <> ?`,
    aliveSids: `SELECT DISTINCT sid FROM respite_session WHERE owner = ? AND ${alive()}`,
    dead: 'SELECT hash, sid FROM respite_session WHERE owner = ? AND dead = 1',
    // One statement, one snapshot: the row asked for, its successor if it has one, and whether both live.
    find: `SELECT t.sid AS asked_sid, t.owner, t.next_hash, s.hash, s.sid, s.user_id, s.ver, s.data, s.flushed_seq,
CASE WHEN ${alive('t.')} AND ${alive('s.')} THEN 1 ELSE 0 END AS alive,
CASE WHEN t.dead = 0 AND t.next_hash IS NOT NULL AND t.idle_ms <= ${now} THEN 1 ELSE 0 END AS reuse,
CASE WHEN s.idle_ms < s.end_ms THEN s.idle_ms ELSE s.end_ms END - ${now} AS left_ms,
CASE WHEN s.end_ms <= s.idle_ms THEN 1 ELSE 0 END AS capped,
s.remember_ms, s.end_ms - ${now} AS end_left_ms, ${now} - s.auth_ms AS auth_age_ms, ${now} - s.issued_ms AS issued_age_ms
FROM respite_session t LEFT JOIN respite_session s ON s.hash = COALESCE(t.next_hash, t.hash) WHERE t.hash = ?`,
    supersede: `UPDATE respite_session SET pend = ver + 1, ver = ver + 1 WHERE hash = ? AND next_hash IS NULL AND ${alive()}`,
    succeed: `INSERT INTO respite_session (hash, sid, owner, tag, user_id, epoch, created_ms, auth_ms, issued_ms, idle_ms, end_ms, remember_ms, next_hash, dead, pend, ver, data,
flushed_seq, through_vers)
SELECT ?, sid, owner, tag, user_id, epoch, created_ms, auth_ms, ${now}, idle_ms, end_ms, remember_ms, NULL, 0, 0, ver, data, flushed_seq, through_vers FROM respite_session WHERE hash = ?`,
    endInGrace: `UPDATE respite_session SET next_hash = ?, idle_ms = CASE WHEN idle_ms < ${now} + ? THEN idle_ms ELSE ${now} + ? END WHERE hash = ?`,
    bump: `UPDATE respite_session SET ver = ver + 1 WHERE hash = ? AND next_hash IS NULL AND ${alive()}`,
    // Also past the grace, which is for look-ups: whoever saves was accepted before.
    successor: `SELECT next_hash FROM respite_session WHERE hash = ? AND dead = 0 AND end_ms > ${now}`,
    data: 'SELECT ver, data, flushed_seq, through_vers FROM respite_session WHERE hash = ?',
    write: 'UPDATE respite_session SET data = ? WHERE hash = ?',
    writeFlushed: 'UPDATE respite_session SET data = ?, flushed_seq = ?, through_vers = ? WHERE hash = ?',
    touch: `UPDATE respite_session SET idle_ms = CASE WHEN end_ms < ${now} + COALESCE(remember_ms, ?) THEN end_ms ELSE ${now} + COALESCE(remember_ms, ?) END
WHERE hash = ? AND next_hash IS NULL AND ${alive()}`,
    touched: `SELECT idle_ms - ${now} AS left_ms, CASE WHEN end_ms <= idle_ms THEN 1 ELSE 0 END AS capped, ${now} - issued_ms AS issued_age_ms
FROM respite_session WHERE hash = ? AND next_hash IS NULL AND ${alive()}`,
    pending: 'SELECT hash, tag, dead, pend FROM respite_session WHERE pend > 0 LIMIT ?',
    forget: (n: number) => `DELETE FROM respite_session WHERE hash IN (${list(n)}) AND dead = 1`,
    agree: 'UPDATE respite_session SET pend = 0 WHERE hash = ? AND pend = ? AND dead = 0',
    markPending: 'UPDATE respite_session SET pend = ver WHERE hash = ? AND dead = 0',
    // Also of a dead one: Redis may not know yet that it is.
    ownerOfSession: 'SELECT owner FROM respite_session WHERE sid = ? LIMIT 1',
    list: `SELECT sid, user_id, created_ms, auth_ms, idle_ms, end_ms, remember_ms FROM respite_session
WHERE owner = ? AND next_hash IS NULL AND ${alive()} ORDER BY epoch DESC`,
    living: (n: number) => `SELECT sid, hash, tag, remember_ms, CASE WHEN idle_ms < end_ms THEN idle_ms ELSE end_ms END - ${now} AS left_ms,
CASE WHEN end_ms <= idle_ms THEN 1 ELSE 0 END AS capped FROM respite_session WHERE sid IN (${list(n)}) AND next_hash IS NULL AND ${alive()}`,
    count: `SELECT COUNT(*) AS n FROM respite_session WHERE next_hash IS NULL AND sid NOT LIKE '${tombstonePrefix}%' AND ${alive()}`,
    countPeers: `SELECT COUNT(*) AS n FROM respite_session WHERE sid LIKE '${peerPrefix}%' AND ${alive()}`,
    peers: `SELECT sid, owner, tag, data, CASE WHEN idle_ms < end_ms THEN idle_ms ELSE end_ms END - ${now} AS left_ms
FROM respite_session WHERE sid LIKE '${peerPrefix}%' AND ${alive()} LIMIT ?`,
    ended: `SELECT hash, sid, user_id, next_hash, dead FROM respite_session WHERE end_ms <= ${now} LIMIT ?`,
    idled: `SELECT hash, sid, user_id, next_hash, dead FROM respite_session WHERE idle_ms <= ${now} AND next_hash IS NULL LIMIT ?`,
    purge: (n: number) => `DELETE FROM respite_session WHERE hash IN (${list(n)}) AND (end_ms <= ${now} OR (idle_ms <= ${now} AND next_hash IS NULL))`,
    idleVisitors: `SELECT owner FROM respite_owner WHERE ${visitorWithout} LIMIT ?`,
    purgeOwners: (n: number) => `DELETE FROM respite_owner WHERE owner IN (${list(n)}) AND ${visitorWithout}`
  }
}

/** The statements of one database. */
export type Statements = ReturnType<typeof statementsFor>

const list = (n: number) => Array.from({ length: n }, () => '?').join(', ')
