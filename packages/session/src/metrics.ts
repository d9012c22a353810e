/** Every metric of this package, named once. */
export const metrics = {
  events: {
    kind: 'counter',
    name: 'session_events_total',
    help: 'What happened to sessions: created, renewed, rotated, revoked, expired, lost, reuse; and where requests found theirs: local (in this process), hit, miss, dead, fallback, forged',
    labels: ['event']
  },
  active: {
    kind: 'gauge',
    name: 'session_active',
    help: 'Sessions alive in the durable store, counted at most every 10 s',
    labels: []
  },
  flushes: {
    kind: 'counter',
    name: 'session_flushes_total',
    help: 'Sessions whose changes were brought from Redis to their rows: flushed, or failed, after which another try comes; with `data` other than through, or beside instances that have it',
    labels: ['outcome']
  },
  flushWaiting: { kind: 'gauge', name: 'session_flush_waiting', help: "Sessions that this process has yet to flush, at most 10,000; with `data: 'behind'` only", labels: [] },
  flushAge: {
    kind: 'gauge',
    name: 'session_flush_oldest_seconds',
    help: "For how long the oldest of them has waited: above `flushEvery` flushes fail or are too slow; with `data: 'behind'` only",
    labels: []
  },
  localSessions: { kind: 'gauge', name: 'session_local_copies', help: 'Sessions kept in this process; with `l1` only', labels: [] },
  localBytes: { kind: 'gauge', name: 'session_local_bytes', help: 'What they take, counted as `maxBytes` is; with `l1` only', labels: [] }
} as const
