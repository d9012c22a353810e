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
  localSessions: { kind: 'gauge', name: 'session_local_copies', help: 'Sessions kept in this process; with `l1` only', labels: [] },
  localBytes: { kind: 'gauge', name: 'session_local_bytes', help: 'What they take, counted as `maxBytes` is; with `l1` only', labels: [] }
} as const
